//go:build fabric

package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// TestAnchorPeers: the peers of a new channel find each other by its first block alone; one that is added later is named by an
// update of its own organization; and who has lost everything takes the first block for what it is, though it names fewer peers
// than there are by then.
func TestAnchorPeers(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	declareWithoutContract(members, "goods", "org1", "org2", "org3")
	network, err := fabrictest.NewNetwork(fabrictest.BuildFor(t, "../.."), members)
	must(t, err)
	t.Cleanup(func() { must(t, network.Close()) })
	must(t, network.Start(ctx))
	agents := agentsOf(network)
	watch := stopwatch(t)
	agents.waitForReady(t, ctx)
	watch("channel ready")

	anchors := map[string][]string{
		"org1MSP": {"peer0-org1.hanse-trade"}, "org2MSP": {"peer0-org2.hanse-trade"}, "org3MSP": {"peer0-org3.hanse-trade"},
	}
	everybodySees(t, ctx, network, anchors)
	if got := height(t, ctx, agents); got != 1 {
		t.Errorf("the channel has %d blocks: there was an update of its configuration", got)
	}
	watch("everybody sees everybody, by the first block")

	addPeer(members, 1)
	must(t, network.Start(ctx))
	agents.waitForReady(t, ctx)
	anchors["org2MSP"] = append(anchors["org2MSP"], "peer1-org2.hanse-trade")
	everybodySees(t, ctx, network, anchors)
	agents.waitForReady(t, ctx)
	if got := height(t, ctx, agents); got != 2 {
		t.Errorf("the channel has %d blocks: one update was to be made, by org2", got)
	}
	watch("a peer more, named by its organization")

	agents.forget(t)
	for _, member := range members {
		member.Plan.Spec.Channels[0].Genesis, member.Plan.Spec.Channels[0].GenesisHash = nil, ""
	}
	agents.waitForReady(t, ctx)
	watch("host and agents lost everything")
}

// everybodySees waits until every member's peer sees all peers that are anchors, and has exactly these in the configuration.
func everybodySees(t *testing.T, ctx context.Context, network *fabrictest.Network, anchors map[string][]string) {
	t.Helper()
	for _, member := range network.Members {
		name := member.Plan.Spec.Member
		eventually(t, ctx, name, func() error {
			view, err := network.View(ctx, member, "peer0-"+name, "goods")
			if err != nil {
				return err
			}
			for id, hosts := range anchors {
				if len(view.Peers[id]) != len(hosts) || !slices.Equal(view.Anchors[id], hosts) {
					return fmt.Errorf("of %s it sees %d peers, and the anchors are %v", id, len(view.Peers[id]), view.Anchors[id])
				}
			}
			return nil
		})
	}
}

// addPeer gives a member another peer, in the plans of all.
func addPeer(members []*fabrictest.Member, at int) {
	name := v1alpha1.NodeName(v1alpha1.RolePeer, 1, members[at].Plan.Spec.Member)
	members[at].Plan.Spec.Nodes = append(members[at].Plan.Spec.Nodes, v1alpha1.PlanNode{Name: name, Role: v1alpha1.RolePeer})
	for _, member := range members {
		all := slices.Clone(member.Plan.Spec.Members)
		all[at].Nodes = append(slices.Clone(all[at].Nodes), v1alpha1.PlanMemberNode{Name: name, Role: v1alpha1.RolePeer, Port: v1alpha1.PortPeer})
		member.Plan.Spec.Members = all
	}
}
