package ledger_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
)

// slow is a session whose orderers agree on a leader after so many attempts.
type slow struct {
	ledger.Session
	attempts, needed int
	instead          error
}

func (s *slow) Do(context.Context, string, string, v1alpha1.PlanChannel, ledger.FirstBlock) error {
	if s.attempts++; s.attempts < s.needed {
		return s.instead
	}
	return nil
}

func TestRetrySession(t *testing.T) {
	const most = 3 * time.Second
	waiting, broken := error(ledger.WaitingFor("the orderers of", "org1")), errors.New("broken")
	for _, row := range []struct {
		why      string
		session  slow
		attempts int
		took     time.Duration
		err      error
	}{
		{"what need not wait does not", slow{needed: 1}, 1, 0, nil},
		{"what waits is asked again", slow{needed: 4, instead: waiting}, 4, 600 * time.Millisecond, nil},
		{"what has failed is not", slow{needed: 4, instead: broken}, 1, 0, broken},
		{"patience has an end", slow{needed: 100, instead: waiting}, 15, most, waiting},
	} {
		t.Run(row.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := agentledger.RetrySession(&row.session, most).Do(t.Context(), "SetAnchors", "", v1alpha1.PlanChannel{}, ledger.FirstBlock{})
				if !errors.Is(err, row.err) || row.session.attempts < row.attempts || row.session.attempts > row.attempts+1 || time.Since(began) != row.took {
					t.Errorf("%d attempts in %v: %v", row.session.attempts, time.Since(began), err)
				}
			})
		})
	}
}
