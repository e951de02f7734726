package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// retryInterval is the interval between two attempts.
const retryInterval = 200 * time.Millisecond

// RetrySession is a session that retries steps which wait for what others are about to do: elect a leader of the
// orderers, approve a contract, discover peers. A new session would cost more than a retry. All retries together last
// for timeout at most; after that it behaves like the wrapped session.
func RetrySession(session ledger.Session, timeout time.Duration) ledger.Session {
	return &retrySession{Session: session, until: time.Now().Add(timeout)}
}

type retrySession struct {
	ledger.Session
	until time.Time
}

// Do retries what the Member does once. What is done at a node waits for that node only, which takes longer.
func (p *retrySession) Do(ctx context.Context, step, node string, channel v1alpha1.PlanChannel, first ledger.FirstBlock) error {
	if node != "" {
		return p.Session.Do(ctx, step, node, channel, first)
	}
	return p.retry(ctx, func() error { return p.Session.Do(ctx, step, node, channel, first) })
}

func (p *retrySession) Approve(ctx context.Context, contract v1alpha1.PlanContract) error {
	return p.retry(ctx, func() error { return p.Session.Approve(ctx, contract) })
}

func (p *retrySession) Serves(ctx context.Context, contract v1alpha1.PlanContract) error {
	return p.retry(ctx, func() error { return p.Session.Serves(ctx, contract) })
}

func (p *retrySession) Commit(ctx context.Context, contract v1alpha1.PlanContract) error {
	return p.retry(ctx, func() error { return p.Session.Commit(ctx, contract) })
}

// retry repeats a step until it succeeds, or fails with another error than Waiting, or the timeout or ctx has ended.
func (p *retrySession) retry(ctx context.Context, step func() error) error {
	ctx, cancel := context.WithDeadline(ctx, p.until)
	defer cancel()
	tick := time.NewTicker(retryInterval)
	defer tick.Stop()
	for {
		err := step()
		var waiting *ledger.Waiting
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
