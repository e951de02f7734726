//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// foreign is a registry that no organization's allow-lists hold.
const foreign = "registry.example.com/"

// imageRefused declares images that the organizations' own charts do not allow, as a host in wrong hands might: for a
// contract, and for the nodes, which hold the keys. Everybody refuses and says so on the host, whether an image would be its
// nodes' turn yet or not, nothing of them runs, the ledger goes on, and a corrected declaration recovers.
func imageRefused(t *testing.T, s *harness.Harness) {
	load := start(t, s, "org1", "refused")
	for _, row := range []struct {
		why, kind, name, wrong, right string
		declare                       func(t *testing.T, s *harness.Harness, image string)
		condition, says               string
		// conditions of what was declared that say who refuses.
		named []string
	}{
		{"a contract's", "contract", "outsider", foreign + "contract:1.0", "ghcr.io/hanse-io/contract-notary:" + harness.ContractVersion,
			outsiderContract, "ContractsReady", "policy.contractImages", []string{"Ready"}},
		{"the nodes'", "consortium", "trade", foreign + "fabric-peer:3.1.4", "docker.io/hyperledger/fabric-peer:3.1.4",
			peerImage, "NodesReady", "policy.nodeImages", []string{"Ready", "RolledOut"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			before := workloads(t, s)
			row.declare(t, s, row.wrong)
			for _, member := range s.Members {
				eventually(t, member+" refuses and tells the host", expects(t, s, "host", "False ImageNotAllowed",
					fmt.Sprintf("{.status.conditions[?(@.type==%q)]['status','reason']}", row.condition), "-n", "hanse-member-"+member, "memberplan", "trade"))
			}
			eventually(t, "what was declared says what is wrong, and where to fix it", func() error {
				got, err := tryGet(t, s, "host", `{.status.conditions[?(@.type=="Ready")]['status','message']}`, row.kind, row.name)
				if err == nil && (!strings.HasPrefix(got, "False ") || !strings.Contains(got, foreign) || !strings.Contains(got, row.says)) {
					err = fmt.Errorf("ready: %s", got)
				}
				return err
			})
			for _, condition := range row.named {
				eventually(t, condition+" names every organization that refuses", func() error {
					got, err := tryGet(t, s, "host", fmt.Sprintf("{.status.conditions[?(@.type==%q)]['status','message']}", condition), row.kind, row.name)
					for _, member := range s.Members {
						if err == nil && (!strings.HasPrefix(got, "False ") || !strings.Contains(got, member+" does not allow")) {
							err = fmt.Errorf("%s: %s", member, got)
						}
					}
					return err
				})
			}
			planned := must2(t)(s.Kubectl(t.Context(), "host", "get", "memberplans", "-A", "-o", "jsonpath={.items[*].spec.nodes[*].image}"))
			if !strings.Contains(planned, "fabric-peer") || strings.Contains(planned, foreign) {
				t.Errorf("no node is given an image that organizations refuse: %s", planned)
			}
			load.goesOn(t, 1)
			for member, now := range workloads(t, s) {
				if now != before[member] {
					t.Errorf("%s: the workloads have changed from\n%s\nto\n%s", member, before[member], now)
				}
				pods := must2(t)(s.Kubectl(t.Context(), member, "get", "pods", "-A", "-o", "jsonpath={.items[*].spec.containers[*].image}"))
				if strings.Contains(pods, foreign) {
					t.Errorf("%s runs an image that its own policy does not allow: %s", member, pods)
				}
			}
			row.declare(t, s, row.right)
			eventually(t, "it recovers once it is corrected", isReady(t, s, row.kind, row.name))
		})
	}
}

// workloads lists what each organization's agent has made, with its images.
func workloads(t *testing.T, s *harness.Harness) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, member := range s.Members {
		out := must2(t)(s.Kubectl(t.Context(), member, "get", "statefulsets,deployments", "-n", "hanse-trade", "-o",
			`jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.spec.template.spec.containers[*].image}{"\n"}{end}`))
		if !strings.Contains(out, "fabric-peer") {
			t.Fatalf("the search in %s sees no peer, and so proves nothing:\n%s", member, out)
		}
		found[member] = out
	}
	return found
}

func outsiderContract(t *testing.T, s *harness.Harness, image string) {
	t.Helper()
	if err := s.Apply(t.Context(), "host", contractOf("outsider", image)); err != nil {
		t.Fatal(err)
	}
}

func contractOf(name, image string) string {
	return fmt.Sprintf(`
apiVersion: federation.hanse.io/v1alpha1
kind: Contract
metadata: {name: %s, namespace: default}
spec: {channel: settlement, image: %q}
`, name, image)
}

func peerImage(t *testing.T, s *harness.Harness, image string) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec":{"ledger":{"fabric":{"peerImage":%q}}}}`, image)
	must2(t)(s.Kubectl(t.Context(), "host", "patch", "consortium", "trade", "--type=merge", "-p", patch))
}
