//go:build fabric

package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// TestRealNetwork takes three organizations, with real peers, orderers and a real contract, from nothing to a
// transaction that two of them endorsed and the third can read; and on through what happens to a network in its life.
func TestRealNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	declare(members, "goods", "org1", "org2", "org3")
	network, err := fabrictest.NewNetwork(fabrictest.BuildFor(t, "../.."), members)
	must(t, err)
	watch := stopwatch(t)
	t.Cleanup(func() { must(t, network.Close()); watch("everything stopped") })
	must(t, network.Start(ctx))
	watch("6 nodes and 3 contracts healthy")
	agents := agentsOf(network)
	agents.waitForReady(t, ctx)
	watch("channel joined, contract committed, by three agents")

	operations(t, ctx, network, members[0])
	transact(t, ctx, network, "goods", members[0], members[2], "bill-1")
	watch("first transaction, endorsed by a majority, read at the third organization")
	transact(t, ctx, network, "goods", members[0], members[2], "bill-2")
	watch("second transaction")
	clients(t, ctx, network, "goods")
	watch("a transaction's events, blocks and endorsers read as an application reads them")
	before := height(t, ctx, agents)
	agents.waitForReady(t, ctx)
	if after := height(t, ctx, agents); after != before {
		t.Fatalf("doing everything again made %d blocks", after-before)
	}
	watch("everything done again, without a block")

	for i, event := range []struct {
		what string
		do   func()
	}{
		{"upgrade to a stricter policy", func() {
			for _, member := range members {
				contract := &member.Plan.Spec.Contracts[0]
				contract.Version, contract.Sequence = "1.1", 2
				contract.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}
			}
		}},
		{"a contract's pod replaced", func() { restart(t, ctx, network, members[1], members[1].Plan.Spec.Contracts[0].WorkloadName()) }},
		{"a peer's pod replaced", func() { restart(t, ctx, network, members[2], "peer0-org3") }},
		{"an orderer's certificate renewed with its key", func() {
			must(t, members[0].Renew("orderer0-org1-tls"))
			restart(t, ctx, network, members[0], "orderer0-org1")
		}},
		{"all agents lost what they knew", func() { agents.forget(t) }},
		{"host and agents lost everything", func() {
			agents.forget(t)
			for _, member := range members {
				member.Plan.Spec.Channels[0].Genesis, member.Plan.Spec.Channels[0].GenesisHash = nil, ""
			}
		}},
		{"back to the majority, with the third organization down", func() {
			must(t, network.Stop(members[2], "peer0-org3"))
			must(t, network.Stop(members[2], "orderer0-org3"))
			for _, member := range members {
				contract := &member.Plan.Spec.Contracts[0]
				contract.Version, contract.Sequence = "1.2", 3
				contract.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
			}
		}},
	} {
		event.do()
		up := agents
		if strings.Contains(event.what, "third organization down") {
			up = agents.without(1)
		}
		up.waitForReady(t, ctx)
		transact(t, ctx, network, "goods", members[0], members[1], fmt.Sprint("event-", i))
		watch(event.what)
	}
	must(t, network.Start(ctx))
	agents.waitForReady(t, ctx)
	transact(t, ctx, network, "goods", members[2], members[0], "bill-last")
	watch("the third organization back, and up to date")
}

// TestUnevenNetwork has organizations that are not alike, and channels that some of them are not in: one that a single
// member orders, and one whose only member runs no orderer.
func TestUnevenNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade",
		fabrictest.Shape{Name: "org1", Peers: 1, Orderers: 1},
		fabrictest.Shape{Name: "org2", Peers: 2, Orderers: 2},
		fabrictest.Shape{Name: "org3", Peers: 1},
	)
	must(t, err)
	declare(members, "inner", "org2", "org3")
	declare(members, "alone", "org3")
	network, err := fabrictest.NewNetwork(fabrictest.BuildFor(t, "../.."), members)
	must(t, err)
	watch := stopwatch(t)
	t.Cleanup(func() { must(t, network.Close()) })
	must(t, network.Start(ctx))
	agents := agentsOf(network)
	agents.waitForReady(t, ctx)
	watch("two channels ready")
	for i, want := range [][]string{{"alone"}, {"alone", "inner"}, {"alone", "inner"}} {
		var joined []string
		for _, channel := range members[i].Plan.Status.Channels {
			joined = append(joined, channel.Name)
		}
		if slices.Sort(joined); !slices.Equal(joined, want) {
			t.Errorf("%s is in %v, not %v", members[i].Plan.Spec.Member, joined, want)
		}
	}
	transact(t, ctx, network, "inner", members[1], members[2], "a")
	transact(t, ctx, network, "alone", members[2], members[2], "b")
	watch("a transaction on each")
}

// operations shows what a node's operations endpoint gives to whom: from any pod of the cluster a PUT to /logspec would
// stop an orderer's log.
func operations(t *testing.T, ctx context.Context, network *fabrictest.Network, member *fabrictest.Member) {
	t.Helper()
	name := member.Plan.Spec.Member
	for _, node := range []struct {
		name string
		port int
	}{{"peer0-" + name, v1alpha1.PortPeerOperations}, {"orderer0-" + name, v1alpha1.PortOrdererOperations}} {
		for _, row := range []struct {
			why, method, path, body, client string
			want                            int
		}{
			{"a kubelet has no certificate", http.MethodGet, "/healthz", "", "", http.StatusOK},
			{"a outsider does not turn the log off", http.MethodPut, "/logspec", `{"spec":"panic"}`, "", http.StatusUnauthorized},
			{"nor reads how it is set", http.MethodGet, "/logspec", "", "", http.StatusUnauthorized},
			{"nor metrics", http.MethodGet, "/metrics", "", "", http.StatusUnauthorized},
			{"what monitors reads metrics", http.MethodGet, "/metrics", "", fabric.MonitorTLSIdentity(name), http.StatusOK},
		} {
			got, err := network.Operations(ctx, member, node.name, node.port, row.method, row.path, row.body, row.client)
			if err != nil || got != row.want {
				t.Errorf("%s: %s: %d, %v", node.name, row.why, got, err)
			}
		}
	}
}
