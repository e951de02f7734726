//go:build fabric

package ledger_test

import (
	"context"
	"testing"
	"time"
)

// eventually tries again until something works that waits for blocks or gossip to travel.
func eventually(t *testing.T, ctx context.Context, what string, do func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for said := ""; ; {
		err := do()
		if err == nil {
			return
		}
		if said != err.Error() {
			said = err.Error()
			t.Logf("%s: %s", what, said)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func stopwatch(t *testing.T) func(what string) {
	last := time.Now()
	return func(what string) {
		t.Logf("%6.2fs %s", time.Since(last).Seconds(), what)
		last = time.Now()
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
