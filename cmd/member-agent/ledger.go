package main

import (
	"context"
	"errors"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/member-agent/genesis"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/reconcile"
)

// planners of the ledgers that the agent knows.
var planners = ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}

// ledgerAdapter implements reconcile.Ledger by package ledger.
type ledgerAdapter struct {
	engine ledger.Engine
	own    client.Client
}

// pins is the store of the first blocks of a plan's channels.
func (p ledgerAdapter) pins(plan *v1alpha1.MemberPlan) genesis.Store {
	return genesis.Store{Client: p.own, Namespace: plan.Spec.Namespace, Consortium: plan.Spec.Consortium, Owner: reconcile.Owner}
}

// Forget deletes them.
func (p ledgerAdapter) Forget(ctx context.Context, plan *v1alpha1.MemberPlan) error {
	return p.pins(plan).Forget(ctx)
}

// retryTimeout is how long one run retries steps that wait for other members.
const retryTimeout = 4 * time.Second

// Advance opens a session for one run: between runs there is no connection, and a renewed certificate or a changed record
// is used from the next one on.
func (p ledgerAdapter) Advance(ctx context.Context, in reconcile.LedgerInput) reconcile.LedgerOutput {
	session, err := p.engine.Open(ctx, in.Plan, in.Records, in.Keys)
	if err != nil {
		return openFailed(in.Plan.Status, err)
	}
	defer func() { _ = session.Close() }()
	progress := agentledger.Advance(ctx, agentledger.RetrySession(session, retryTimeout), agentledger.Input{
		Plan: in.Plan, Description: planners.Describe(in.Plan), Previous: in.Plan.Status, Records: in.Records, Pins: p.pins(in.Plan),
		Running: in.Runs,
	})
	out := reconcile.LedgerOutput{Channels: progress.Channels, Contracts: progress.Contracts}
	if v := progress.ChannelsReady; !v.Ready {
		out.ChannelsReason, out.ChannelsMessage = v.Reason, v.Message
	}
	if v := progress.ContractsReady; !v.Ready {
		out.ContractsReason, out.ContractsMessage = v.Reason, v.Message
	}
	return out
}

// openFailed keeps the previous statuses and reports the error.
func openFailed(before v1alpha1.MemberPlanStatus, err error) reconcile.LedgerOutput {
	reason := v1alpha1.ReasonFailed
	var waiting *ledger.Waiting
	if errors.As(err, &waiting) {
		reason = v1alpha1.ReasonWaiting
	}
	return reconcile.LedgerOutput{
		Channels: before.Channels, Contracts: before.Contracts,
		ChannelsReason: reason, ChannelsMessage: err.Error(),
		ContractsReason: reason, ContractsMessage: err.Error(),
	}
}
