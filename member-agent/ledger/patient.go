package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// askAgain is how long a patient session waits between two attempts.
const askAgain = 200 * time.Millisecond

// Patient is a session whose steps stay for a moment with what others are about to do: agree on who leads the orderers,
// approve a contract, let their peers be seen. To open a new session for that costs more than to ask again in this one. It
// is patient once, for most, and from then on like the session that it is made of.
func Patient(session Session, most time.Duration) Session {
	return &patient{Session: session, until: time.Now().Add(most)}
}

type patient struct {
	Session
	until time.Time
}

func (p *patient) SetAnchors(ctx context.Context, channel v1alpha1.PlanChannel) error {
	return p.insist(ctx, func() error { return p.Session.SetAnchors(ctx, channel) })
}

func (p *patient) Approve(ctx context.Context, contract v1alpha1.PlanContract) error {
	return p.insist(ctx, func() error { return p.Session.Approve(ctx, contract) })
}

func (p *patient) Serves(ctx context.Context, contract v1alpha1.PlanContract) error {
	return p.insist(ctx, func() error { return p.Session.Serves(ctx, contract) })
}

func (p *patient) Commit(ctx context.Context, contract v1alpha1.PlanContract) error {
	return p.insist(ctx, func() error { return p.Session.Commit(ctx, contract) })
}

// insist takes a step until it has nothing to wait for, or fails, or patience or ctx has ended.
func (p *patient) insist(ctx context.Context, step func() error) error {
	ctx, cancel := context.WithDeadline(ctx, p.until)
	defer cancel()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		err := step()
		var waiting *Waiting
		if !errors.As(err, &waiting) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
