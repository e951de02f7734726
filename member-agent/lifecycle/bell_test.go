package lifecycle

import (
	"slices"
	"testing"
	"time"
)

func TestBellWaits(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		why         string
		pause       time.Duration
		rung, waits []time.Duration
	}{
		{"without a pause nobody waits", 0, []time.Duration{0, 1 * ms, 2 * ms}, []time.Duration{0, 0, 0}},
		{"the first after a rest is not made to wait", 200 * ms, []time.Duration{0, time.Second}, []time.Duration{0, 0}},
		{"what comes shortly after goes together", 200 * ms, []time.Duration{0, 50 * ms, 150 * ms}, []time.Duration{0, 150 * ms, 50 * ms}},
		{"a turn that has come makes the next wait", 200 * ms, []time.Duration{0, 50 * ms, 210 * ms}, []time.Duration{0, 150 * ms, 190 * ms}},
	} {
		t.Run(row.why, func(t *testing.T) {
			began := time.Unix(1000, 0)
			now := began
			b := &bell{pause: row.pause, now: func() time.Time { return now }, due: map[string]time.Time{}}
			var waits []time.Duration
			for _, at := range row.rung {
				now = began.Add(at)
				waits = append(waits, b.wait("trade"))
			}
			if !slices.Equal(waits, row.waits) {
				t.Errorf("waits %v, not %v", waits, row.waits)
			}
			if wait := b.wait("another"); wait != 0 {
				t.Errorf("another plan waits %v", wait)
			}
		})
	}
}
