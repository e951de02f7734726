//go:build fabric

package ledger_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/statement"
)

// TestVolumeWithOldLedger runs a channel, and then makes a channel of the same name anew, as a consortium that is
// declared again under its old name does while the volumes were kept: real peers and orderers go by the name and would
// serve the old ledger.
func TestVolumeWithOldLedger(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2")...)
	must(t, err)
	declareWithoutContract(members, "goods", "org1", "org2")
	network, err := fabrictest.NewNetwork(fabrictest.BuildFor(t, "../.."), members)
	must(t, err)
	t.Cleanup(func() { must(t, network.Close()) })
	must(t, network.Start(ctx))
	agents := agentsOf(network)
	agents.waitForReady(t, ctx)

	// Nobody knows anything of it any more, and org1 makes another first block without asking its peer: it lost its volume.
	agents.forget(t)
	driver := network.Driver()
	session, err := driver.Open(ctx, members[0].Plan, fabrictest.Records(members), members[0].Keys)
	must(t, err)
	defer session.Close()
	for _, member := range members {
		member.Plan.Spec.Channels[0].GenesisHash = ""
		member.Record.Channels = nil
	}
	block, err := session.Genesis(members[0].Plan.Spec.Channels[0])
	must(t, err)
	hash, err := session.CheckGenesis(members[0].Plan.Spec.Channels[0], block)
	must(t, err)
	packed, err := statement.Compress(block)
	must(t, err)
	for _, agent := range agents.Agents {
		must(t, agent.Pins.Keep(ctx, "goods", hash, packed))
	}
	for range 2 {
		_, err := agents.Advance(ctx)
		must(t, err)
	}
	for _, member := range members {
		name, status := member.Plan.Spec.Member, member.Plan.Status.Channels[0]
		if status.Reason != v1alpha1.ReasonLedgerDiffers || joinedNodes(status) > 0 {
			t.Errorf("%s: %+v", name, status)
		}
		for _, want := range []string{"orderer0-" + name, "PersistentVolumeClaim"} {
			if !strings.Contains(status.Message, want) {
				t.Errorf("%s: %q does not name %s", name, status.Message, want)
			}
		}
	}
	// A new agent that has no pin recovers what its peers hold, which is still what the plan and the records say.
	agents.forget(t)
	for _, member := range members {
		member.Plan.Spec.Channels[0].GenesisHash, member.Plan.Spec.Channels[0].Genesis = "", nil
		member.Record.Channels = nil
	}
	agents.waitForReady(t, ctx)
	if got := members[1].Plan.Status.Channels[0]; got.GenesisHash == hash || !slices.Equal(ledger.StepOf(got, planner.StepJoinPeers).Nodes, []string{"peer0-org2"}) {
		t.Errorf("the old ledger does not go on: %+v", got)
	}
}

// joinedNodes is how many of a Member's nodes have joined a channel.
func joinedNodes(status v1alpha1.PlanChannelStatus) int {
	return len(ledger.StepOf(status, planner.StepJoinPeers).Nodes) + len(ledger.StepOf(status, planner.StepJoinOrderers).Nodes)
}
