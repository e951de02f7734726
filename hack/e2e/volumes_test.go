//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// shortLived is a consortium whose host asks for the volumes to go with the nodes.
const shortLived = `
apiVersion: federation.hanse.io/v1alpha1
kind: Consortium
metadata: {name: brief, namespace: default}
spec:
  nodes: {storage: {reclaimPolicy: Delete}}
  members: [{name: org1, role: Leader}, {name: org2}]
`

// volumesKept has the host take down a consortium with everything in it, while one organization keeps its volumes, which it
// says only after they were made, and while one of its nodes is not ready and therefore not applied any more.
func volumesKept(t *testing.T, s *harness.Harness) {
	const keeps, lets = "org1", "org2"
	keep := func(word string) {
		must2(t)(s.Helm(t.Context(), keeps, "upgrade", "member-agent", "charts/member-agent", "--namespace", "hanse-system",
			"--reuse-values", "--set", "policy.keepVolumes="+word, "--wait", "--timeout", "5m"))
	}
	volumes := func(member string) (string, error) {
		return tryGet(t, s, member, "{.items[*].spec.volumeName}", "-n", "hanse-brief", "pvc")
	}
	if err := s.Apply(t.Context(), "host", shortLived); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the consortium", isReady(t, s, "consortium", "brief"))
	before := must2(t)(volumes(keeps))
	// The host has a node wait for an image that never comes, which it gives to the first organization's alone: such a node is
	// not applied any more.
	must2(t)(s.Kubectl(t.Context(), "host", "patch", "consortium", "brief", "--type=merge", "-p",
		`{"spec":{"ledger":{"fabric":{"peerImage":"docker.io/hyperledger/fabric-peer:none"}}}}`))
	eventually(t, "a node of "+keeps+" waits for its image", expects(t, s, keeps, "", "{.status.readyReplicas}", "-n", "hanse-brief", "statefulset", "peer0-"+keeps))
	keep("true")
	must2(t)(s.Kubectl(t.Context(), "host", "delete", "consortium", "brief", "--timeout=10m"))
	eventually(t, lets+", which lets them go, has none left", func() error {
		got, err := s.Kubectl(t.Context(), lets, "get", "namespace", "hanse-brief", "--ignore-not-found", "-o", "name")
		if err == nil && got != "" {
			err = errors.New("the namespace is still there")
		}
		return err
	})
	if now := must2(t)(volumes(keeps)); now != before || before == "" {
		t.Errorf("%s keeps its volumes: they were %q and are %q", keeps, before, now)
	}
	if phase := get(t, s, keeps, "{.status.phase}", "namespace", "hanse-brief"); phase != "Active" {
		t.Errorf("the namespace with the volumes is %s", phase)
	}
	keep("false")
	must2(t)(s.Kubectl(t.Context(), keeps, "delete", "namespace", "hanse-brief", "--timeout=5m"))
	eventually(t, "the consortium that stays", func() error {
		if err := isReady(t, s, "consortium", "trade")(); err != nil {
			return fmt.Errorf("trade: %w", err)
		}
		return nil
	})
}
