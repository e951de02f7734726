//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// settingsChanged gives one member's peers another log level and memory limit, which restarts one after the other, and asks for
// larger volumes of a StorageClass that cannot: the nodes go on, and the plan says what helps. Meanwhile no transaction of
// another member fails, since each organization has a peer all the time.
func settingsChanged(t *testing.T, s *harness.Harness) {
	const member = "org3"
	peers := []string{"peer0-org3", "peer1-org3"}
	plan := []string{"-n", "hanse-member-" + member, "memberplan", "trade"}
	patch := func(operation string) {
		must2(t)(s.Kubectl(t.Context(), "host", "patch", "consortium", "trade", "--type=json", "-p", "["+operation+"]"))
	}
	load := start(t, s, "org1", "settings")
	load.goesOn(t, 1)
	patch(`{"op":"add","path":"/spec/members/2/nodes","value":{"peerLogLevel":"info:gossip=warning","storage":{"size":"6Gi"},
		"peerResources":{"requests":{"cpu":"50m","memory":"128Mi"},"limits":{"memory":"1Gi"}}}}`)
	for _, peer := range peers {
		eventually(t, peer+" has both", expects(t, s, member, "1Gi info:gossip=warning True",
			`{.spec.containers[0].resources.limits.memory} {.spec.containers[0].env[?(@.name=="FABRIC_LOGGING_SPEC")].value} {.status.conditions[?(@.type=="Ready")].status}`,
			"-n", "hanse-trade", "pod", peer+"-0"))
		eventually(t, peer+" goes on with the volume that it has", expects(t, s, "host", "true VolumeNotExpandable",
			fmt.Sprintf(`{.status.nodes[?(@.name==%q)]['ready','reason']}`, peer), plan...))
	}
	said := get(t, s, "host", `{.status.conditions[?(@.type=="NodesReady")].message}`, plan...)
	if !strings.Contains(said, "kubectl patch storageclass local") || !strings.Contains(said, "declare the old size again") {
		t.Errorf("the plan does not say what helps: %s", said)
	}
	patch(`{"op":"remove","path":"/spec/members/2/nodes/storage"}`)
	eventually(t, "with the old size declared the consortium is ready", isReady(t, s, "consortium", "trade"))
	events := get(t, s, member, `{range .items[*]}{.message}{"\n"}{end}`, "-n", "hanse-system", "events", "--field-selector=reason=NodeRestarted")
	for _, peer := range peers {
		if !strings.Contains(events, peer+" is restarted: ") || !strings.Contains(events, "limits of peer") {
			t.Errorf("no event says why %s was restarted:\n%s", peer, events)
		}
	}
	load.goesOn(t, 1)
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d transactions failed, last: %v", failed, load.lastError.Load())
	}
}
