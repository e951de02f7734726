//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// gatewayReplaced deletes every gateway of two organizations, one after another, while one of them submits transactions
// that the other endorses and orders: one that carries them is among these. None fails.
func gatewayReplaced(t *testing.T, s *harness.Harness) {
	load := start(t, s, "org1", "replaced")
	load.goesOn(t, 1)
	for _, member := range []string{"org1", "org2"} {
		first, err := gatewayPods(t, s, member)
		if err != nil || len(first) != 2 {
			t.Fatalf("%s: there are gateways %v, want two: %v", member, first, err)
		}
		for _, pod := range first {
			must2(t)(s.Kubectl(t.Context(), member, "-n", "hanse-system", "delete", "pod", pod, "--wait=false"))
			load.goesOn(t, 1) // while it drains, most likely
			gone(t, s, member, "-n", "hanse-system", "get", "pod", pod, "--ignore-not-found", "-o", "name")
			eventually(t, member+" has two gateways again", expects(t, s, member, "2 2", "{.status.readyReplicas} {.status.replicas}", "-n", "hanse-system", "deployment", "gateway"))
			load.goesOn(t, 1)
		}
		eventually(t, member+"'s gateways report, and those that are gone do not", func() error {
			// Each under its pod's name. A template, since a JSONPath has no keys.
			out, err := s.Kubectl(t.Context(), member, "-n", "hanse-system", "get", "configmap", "hanse-lines",
				"-o", `go-template={{range $key, $report := .data}}{{$key}} {{end}}`)
			if err != nil {
				return err
			}
			pods, err := gatewayPods(t, s, member)
			if err != nil {
				return err
			}
			var want []string
			for _, pod := range pods {
				want = append(want, pod+".json")
			}
			if got := strings.Fields(out); !slices.Equal(got, want) {
				return fmt.Errorf("there are reports %v, want %v", got, want)
			}
			return nil
		})
	}
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d of %d transactions failed, last: %v", failed, failed+load.done.Load(), load.lastError.Load())
	}
	eventually(t, "the consortium", isReady(t, s, "consortium", "trade"))
}

// gatewayPods are the names of a Member's gateways, sorted.
func gatewayPods(t *testing.T, s *harness.Harness, member string) ([]string, error) {
	out, err := tryGet(t, s, member, "{.items[*].metadata.name}", "-n", "hanse-system", "pods", "-l", "app.kubernetes.io/name=gateway")
	names := strings.Fields(out)
	slices.Sort(names)
	return names, err
}
