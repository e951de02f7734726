package main

import (
	"context"
	"errors"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/genesis"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/lifecycle"
)

// phases shows the ledger's phases to the lifecycle in the lifecycle's own terms.
type phases struct {
	engine ledger.Engine
	own    client.Client
}

// pins are the first blocks that are kept of a plan's channels.
func (p phases) pins(plan *v1alpha1.MemberPlan) genesis.Store {
	return genesis.Store{Client: p.own, Namespace: plan.Spec.Namespace, Consortium: plan.Spec.Consortium, Owner: lifecycle.Owner}
}

// Forget drops them.
func (p phases) Forget(ctx context.Context, plan *v1alpha1.MemberPlan) error {
	return p.pins(plan).Forget(ctx)
}

// forOthers is how much longer one turn may take for what the others are about to do.
const forOthers = 4 * time.Second

// Advance opens a session for one turn: between turns no connection is held, and a certificate that was renewed or a
// record that has changed counts from the next one on.
func (p phases) Advance(ctx context.Context, in lifecycle.LedgerInput) lifecycle.LedgerOutput {
	session, err := p.engine.Open(ctx, in.Plan, in.Records, in.Keys)
	if err != nil {
		return notOpen(in.Plan.Status, err)
	}
	defer func() { _ = session.Close() }()
	progress := ledger.Advance(ctx, ledger.RetrySession(session, forOthers), ledger.Input{
		Plan: in.Plan, Previous: in.Plan.Status, Records: in.Records, Pins: p.pins(in.Plan),
		Running: in.Runs,
	})
	out := lifecycle.LedgerOutput{Channels: progress.Channels, Contracts: progress.Contracts}
	if v := progress.ChannelsReady; !v.Ready {
		out.ChannelsReason, out.ChannelsMessage = v.Reason, v.Message
	}
	if v := progress.ContractsReady; !v.Ready {
		out.ContractsReason, out.ContractsMessage = v.Reason, v.Message
	}
	return out
}

// notOpen keeps what was reached before, and says why there is nothing new.
func notOpen(before v1alpha1.MemberPlanStatus, err error) lifecycle.LedgerOutput {
	reason := v1alpha1.ReasonFailed
	var waiting *ledger.Waiting
	if errors.As(err, &waiting) {
		reason = v1alpha1.ReasonWaiting
	}
	return lifecycle.LedgerOutput{
		Channels: before.Channels, Contracts: before.Contracts,
		ChannelsReason: reason, ChannelsMessage: err.Error(),
		ContractsReason: reason, ContractsMessage: err.Error(),
	}
}
