package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// retryTimeout is how long one run retries steps that wait for other members.
const retryTimeout = 4 * time.Second

// Runner runs the phases for any plan of the organization.
type Runner struct {
	Driver ledger.Driver
	// Planners describe the ledgers of the plans.
	Planners ledger.Planners
	// Pins are those of a plan's channels.
	Pins func(plan *v1alpha1.MemberPlan) Pins
}

// Advance opens a session for one run: between runs there is no connection, and a renewed certificate or a changed record is
// used from the next one on. The Input's Description, Pins and Previous are filled in.
func (r Runner) Advance(ctx context.Context, in Input) Progress {
	in.Description, in.Pins, in.Previous = r.Planners.Describe(in.Plan), r.Pins(in.Plan), in.Plan.Status
	session, err := r.Driver.Open(ctx, in.Plan, in.Records, in.Keys)
	if err != nil {
		return openFailed(in.Previous, err)
	}
	defer func() { _ = session.Close() }()
	return Advance(ctx, RetrySession(session, retryTimeout), in)
}

// Forget drops what is kept of a plan's channels, once its nodes have been taken down.
func (r Runner) Forget(ctx context.Context, plan *v1alpha1.MemberPlan) error {
	return r.Pins(plan).Forget(ctx)
}

// openFailed keeps the previous statuses and reports the error.
func openFailed(before v1alpha1.MemberPlanStatus, err error) Progress {
	outcome := Outcome{Reason: v1alpha1.ReasonFailed, Message: err.Error()}
	var waiting *ledger.Waiting
	if errors.As(err, &waiting) {
		outcome.Reason = v1alpha1.ReasonWaiting
	}
	return Progress{Channels: before.Channels, Contracts: before.Contracts, ChannelsReady: outcome, ContractsReady: outcome}
}
