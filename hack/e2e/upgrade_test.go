//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// upgraded brings the version before, which everything has been installed from, to the current one: the host first, then
// one organization after another, each with its CRDs. Transactions go on meanwhile, as an organization whose agent is not just
// being replaced, none fails, and neither nodes nor contracts restart. All later steps run on the upgraded network.
func upgraded(t *testing.T, s *harness.Harness) {
	if !s.Previous() {
		t.Skip("NO UPGRADE WAS TRIED: this copy does not have the version before, and it cannot be fetched; git fetch --unshallow")
	}
	before := map[string]string{}
	for _, member := range s.Members {
		before[member] = ledgerPods(t, s, member)
	}
	sequence := get(t, s, "host", "{.status.sequence}", "contract", "notary")
	whileTransactionsGoOn(t, s, "org1", "upgrade-host", func() {
		if err := s.UpgradeHost(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	checkVersion(t, s, "host", "federation", "members.federation.hanse.io")
	for i, member := range s.Members {
		whileTransactionsGoOn(t, s, s.Members[(i+1)%len(s.Members)], "upgrade-"+member, func() {
			if err := s.UpgradeMember(t.Context(), member); err != nil {
				t.Fatal(err)
			}
		})
		checkVersion(t, s, member, "member-agent", "memberplans.federation.hanse.io")
		eventually(t, member+"'s agent tells the host its version", expects(t, s, "host", harness.Version, "{.status.agent.version}", "member", member))
	}
	eventually(t, "the consortium", isReady(t, s, "consortium", "trade"))
	for _, member := range s.Members {
		if now := ledgerPods(t, s, member); now != before[member] {
			t.Errorf("%s: an upgrade of Hanse restarts no node and no contract; there were\n%s\nand there are\n%s", member, before[member], now)
		}
	}
	if now := get(t, s, "host", "{.status.sequence}", "contract", "notary"); now != sequence {
		t.Errorf("an upgrade of Hanse changes no contract's definition; its sequence was %s and is %s", sequence, now)
	}
}

// whileTransactionsGoOn does something while a Member submits transactions, of which none may fail.
func whileTransactionsGoOn(t *testing.T, s *harness.Harness, member, label string, do func()) {
	t.Helper()
	load := start(t, s, member, label)
	load.goesOn(t, 1)
	do()
	load.goesOn(t, 1)
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%s: %d of %d transactions of %s failed, last: %v", label, failed, failed+load.done.Load(), member, load.lastError.Load())
	}
}

// checkVersion checks that a cluster's CRDs and Hanse's pods are of the current version.
func checkVersion(t *testing.T, s *harness.Harness, cluster, deployment, crd string) {
	t.Helper()
	if got := get(t, s, cluster, `{.metadata.labels.app\.kubernetes\.io/version}`, "crd", crd); got != harness.Version {
		t.Errorf("%s: CRD %s is of version %q, not %q", cluster, crd, got, harness.Version)
	}
	if got := get(t, s, cluster, "{.spec.template.spec.containers[0].image}", "-n", "hanse-system", "deployment", deployment); !strings.HasSuffix(got, ":"+harness.Version) {
		t.Errorf("%s: %s runs %s, not version %s", cluster, deployment, got, harness.Version)
	}
}

// ledgerPods lists the pods of a Member's nodes and contracts, which a restart changes.
func ledgerPods(t *testing.T, s *harness.Harness, member string) string {
	t.Helper()
	pods := must2(t)(s.Kubectl(t.Context(), member, "get", "pods", "-n", "hanse-trade", "--sort-by={.metadata.name}", "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[*].restartCount}{"\n"}{end}`))
	if !strings.Contains(pods, fmt.Sprintf("peer0-%s-0 ", member)) {
		t.Fatalf("the search in %s sees no peer, and so proves nothing:\n%s", member, pods)
	}
	return pods
}
