//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/harness"
)

// traffic submits transactions as one Member, one after another, until it is stopped. It tells whether the ledger goes
// on while something else is being broken.
type traffic struct {
	done, failed atomic.Int64
	lastError    atomic.Value
	lastID       atomic.Value // of what has been committed
	stop         context.CancelFunc
	wait         sync.WaitGroup
}

func start(t *testing.T, s *harness.Harness, member, label string) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	tr := &traffic{stop: cancel}
	tr.wait.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			id := fmt.Sprintf("%s-%d", label, i)
			call, cancelCall := context.WithTimeout(ctx, 2*time.Minute)
			_, err := s.Invoke(call, member, "Put", id, harness.Digest(id), "sha256", "{}")
			cancelCall()
			switch {
			case err == nil:
				tr.lastID.Store(id)
				tr.done.Add(1)
			case ctx.Err() == nil:
				tr.failed.Add(1)
				tr.lastError.Store(err.Error())
			}
		}
	})
	t.Cleanup(tr.end)
	return tr
}

func (tr *traffic) end() {
	tr.stop()
	tr.wait.Wait()
}

// goesOn waits until so many more transactions have been committed.
func (tr *traffic) goesOn(t *testing.T, more int64) {
	t.Helper()
	from := tr.done.Load()
	eventually(t, fmt.Sprintf("%d more transactions", more), func() error {
		if got := tr.done.Load() - from; got < more {
			return fmt.Errorf("%d so far, %d failed, last: %v", got, tr.failed.Load(), tr.lastError.Load())
		}
		return nil
	})
}

// testTimeout is how long anything may take on a machine that is busy with other things; nothing is right or wrong because
// it is slow.
const testTimeout = 10 * time.Minute

// eventually polls until a condition holds, and fails with its last complaint. Whatever the condition asks may fail for
// a while, too: API servers restart, and time out under load.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(testTimeout)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, testTimeout, err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}
