package fabrictest

import (
	"context"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// Advance runs the ledger phases of one Member once, as its agent does, and updates its record with what it has pinned.
func (n *Network) Advance(ctx context.Context, member *Member, records map[string]v1alpha1.Record) (ledger.Progress, error) {
	plan := member.Plan
	session, err := n.Driver().Open(ctx, plan, records, member.Keys)
	if err != nil {
		return ledger.Progress{}, err
	}
	defer session.Close()
	progress := ledger.Advance(ctx, session, ledger.Input{
		Plan: plan, Description: planner.Planner{}.Description(), Previous: plan.Status, Records: records, Pins: member.Pins, Blocks: n.statements.Of(plan.Spec.Member),
		Running: func(v1alpha1.PlanContract) bool { return !member.Stopped },
	})
	plan.Status.Channels, plan.Status.Contracts = progress.Channels, progress.Contracts
	return progress, nil
}

// ForgetStatements loses the statements with first blocks that host and agents keep.
func (n *Network) ForgetStatements() { n.statements.Forget() }

// HandOn does what host and gossip do between two runs: the plans of those who have not got a first block refer to the
// leader's statement with it, and records show what has been pinned.
func HandOn(members []*Member) {
	type first struct {
		hash string
		ref  *v1alpha1.StatementRef
	}
	blocks := map[string]first{}
	for _, member := range members {
		member.Record.Channels = nil
		for _, channel := range member.Plan.Status.Channels {
			if channel.GenesisHash != "" {
				member.Record.Channels = append(member.Record.Channels, v1alpha1.RecordChannel{Name: channel.Name, GenesisHash: channel.GenesisHash})
			}
			if channel.Genesis != "" {
				blocks[channel.Name] = first{channel.GenesisHash, &v1alpha1.StatementRef{Member: member.Plan.Spec.Member, Digest: channel.Genesis}}
			}
		}
	}
	requested := map[string]bool{}
	for _, member := range members {
		pinned := map[string]bool{}
		for _, channel := range member.Record.Channels {
			pinned[channel.Name] = true
		}
		for i := range member.Plan.Spec.Channels {
			channel := &member.Plan.Spec.Channels[i]
			channel.Genesis = nil
			if known := blocks[channel.Name]; channel.GenesisHash == "" {
				channel.GenesisHash = known.hash
			}
			if !pinned[channel.Name] {
				channel.Genesis = blocks[channel.Name].ref
				requested[channel.Name] = channel.Genesis == nil
			}
		}
	}
	for _, member := range members {
		for i := range member.Plan.Spec.Channels {
			member.Plan.Spec.Channels[i].GenesisRequested = requested[member.Plan.Spec.Channels[i].Name]
		}
	}
}
