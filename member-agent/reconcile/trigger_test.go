package reconcile

import (
	"slices"
	"testing"
	"time"
)

func TestTriggerThrottle(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		why             string
		minInterval     time.Duration
		enqueued, waits []time.Duration
	}{
		{"no interval, no delay", 0, []time.Duration{0, 1 * ms, 2 * ms}, []time.Duration{0, 0, 0}},
		{"the first after the interval is not delayed", 200 * ms, []time.Duration{0, time.Second}, []time.Duration{0, 0}},
		{"requests within the interval are merged", 200 * ms, []time.Duration{0, 50 * ms, 150 * ms}, []time.Duration{0, 150 * ms, 50 * ms}},
		{"the interval starts with the last request", 200 * ms, []time.Duration{0, 50 * ms, 210 * ms}, []time.Duration{0, 150 * ms, 190 * ms}},
	} {
		t.Run(row.why, func(t *testing.T) {
			began := time.Unix(1000, 0)
			now := began
			b := &trigger{minInterval: row.minInterval, now: func() time.Time { return now }, scheduled: map[string]time.Time{}}
			var waits []time.Duration
			for _, at := range row.enqueued {
				now = began.Add(at)
				waits = append(waits, b.throttleDelay("trade"))
			}
			if !slices.Equal(waits, row.waits) {
				t.Errorf("waits %v, not %v", waits, row.waits)
			}
			if wait := b.throttleDelay("another"); wait != 0 {
				t.Errorf("another plan waits %v", wait)
			}
		})
	}
}
