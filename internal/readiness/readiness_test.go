package readiness

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

func TestReady(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	elected, waiting := make(chan struct{}), make(chan struct{})
	close(elected)
	full, empty := func() bool { return true }, func() bool { return false }
	for _, c := range []struct {
		why     string
		synced  func() bool
		elected chan struct{}
		working bool
		// failures of watches, so many seconds ago.
		failures []time.Duration
		says     string
	}{
		{"it leads and works", full, elected, true, nil, ""},
		{"it is on standby", full, waiting, false, nil, ""},
		{"an informer has not synced", empty, waiting, false, nil, "Channels have not been read yet"},
		{"and the watch error that is the cause", empty, elected, true, []time.Duration{5}, "no such field"},
		{"it leads, and its controllers have not started", full, elected, false, nil, "do not run"},
		{"an API server that restarts", full, elected, true, []time.Duration{30, 20, 10}, ""},
		{"a watch that has failed for two minutes", full, elected, true, []time.Duration{120, 90, 60, 30, 5}, "no such field"},
		{"one that failed, and has recovered", full, elected, true, []time.Duration{400, 370, 340, 310}, ""},
		{"failures that are far apart", full, elected, true, []time.Duration{400, 200, 5}, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			clock := now
			watches := &Watches{Now: func() time.Time { return clock }}
			for _, ago := range c.failures {
				clock = now.Add(-ago * time.Second)
				watches.note(errors.New("no such field"))
			}
			clock = now
			check := &Check{watches: watches, synced: map[string]func() bool{"Channels": c.synced}, elected: c.elected, log: logr.Discard()}
			check.working.Store(c.working)
			err := check.Ready(nil)
			if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestExpectedWatchEnd(t *testing.T) {
	if !isExpectedEnd(io.EOF) || isExpectedEnd(errors.New("cannot decode")) {
		t.Error("io.EOF is expected, other errors are not")
	}
}
