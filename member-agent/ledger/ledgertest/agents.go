package ledgertest

import (
	"context"
	"errors"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
	shared "github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// Agent runs the ledger phases of one Member, as its agent does, without a cluster.
type Agent struct {
	Driver      shared.Driver
	Description shared.Description
	// Plan is the Member's; its status holds what the phases have reported.
	Plan *v1alpha1.MemberPlan
	// Record is what the Member publishes. HandOn writes its channels.
	Record *v1alpha1.Record
	Keys   shared.Keys
	// Statements are those that all Members have.
	Statements *Exchange
	// Pins are the first blocks that the Member keeps.
	Pins Pins
	// Stopped is whether its contracts' workloads do not run.
	Stopped bool
}

// Advance runs the phases once, with what the Members publish.
func (a *Agent) Advance(ctx context.Context, records map[string]v1alpha1.Record) (ledger.Progress, error) {
	session, err := a.Driver.Open(ctx, a.Plan, records, a.Keys)
	if err != nil {
		return ledger.Progress{}, err
	}
	defer session.Close()
	progress := ledger.Advance(ctx, session, ledger.Input{
		Plan: a.Plan, Description: a.Description, Previous: a.Plan.Status, Records: records, Pins: &a.Pins,
		Blocks: a.Statements.Of(a.Plan.Spec.Member), Running: func(v1alpha1.PlanContract) bool { return !a.Stopped },
	})
	a.Plan.Status.Channels, a.Plan.Status.Contracts = progress.Channels, progress.Contracts
	return progress, nil
}

// Forget loses what the agent and its host know: the plan's status, the pins and all statements.
func (a *Agent) Forget(ctx context.Context) error {
	a.Plan.Status = v1alpha1.MemberPlanStatus{}
	a.Statements.Forget()
	return a.Pins.Forget(ctx)
}

// Agents are those of all Members of a Consortium.
type Agents []*Agent

// Records are what everybody publishes.
func (a Agents) Records() map[string]v1alpha1.Record {
	records := map[string]v1alpha1.Record{}
	for _, agent := range a {
		records[agent.Plan.Spec.Member] = *agent.Record
	}
	return records
}

// Advance runs everybody's phases once, at the same time, and hands on what came of it.
func (a Agents) Advance(ctx context.Context) ([]ledger.Progress, error) {
	results, failed := make([]ledger.Progress, len(a)), make([]error, len(a))
	records := a.Records()
	var all sync.WaitGroup
	for i, agent := range a {
		all.Go(func() { results[i], failed[i] = agent.Advance(ctx, records) })
	}
	all.Wait()
	a.HandOn()
	return results, errors.Join(failed...)
}

// HandOn does what host and gossip do between two runs: the plans of those who have not got a first block refer to the
// leader's statement with it, and records show what has been pinned.
func (a Agents) HandOn() {
	type first struct {
		hash string
		ref  *v1alpha1.StatementRef
	}
	blocks := map[string]first{}
	for _, agent := range a {
		agent.Record.Channels = nil
		for _, channel := range agent.Plan.Status.Channels {
			if channel.GenesisHash != "" {
				agent.Record.Channels = append(agent.Record.Channels, v1alpha1.RecordChannel{Name: channel.Name, GenesisHash: channel.GenesisHash})
			}
			if channel.Genesis != "" {
				blocks[channel.Name] = first{channel.GenesisHash, &v1alpha1.StatementRef{Member: agent.Plan.Spec.Member, Digest: channel.Genesis}}
			}
		}
	}
	requested := map[string]bool{}
	for _, agent := range a {
		pinned := map[string]bool{}
		for _, channel := range agent.Record.Channels {
			pinned[channel.Name] = true
		}
		for i := range agent.Plan.Spec.Channels {
			channel := &agent.Plan.Spec.Channels[i]
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
	for _, agent := range a {
		for i := range agent.Plan.Spec.Channels {
			agent.Plan.Spec.Channels[i].GenesisRequested = requested[agent.Plan.Spec.Channels[i].Name]
		}
	}
}
