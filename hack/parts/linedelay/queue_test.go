package main

import (
	"fmt"
	"testing"
	"time"
)

func TestQueue(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := []struct {
		why  string
		came []time.Duration
		want string
	}{
		{"a frame leaves when its time is over", []time.Duration{0}, "[10ms]"},
		{"gaps between frames stay", []time.Duration{0, 3 * time.Millisecond}, "[10ms 13ms]"},
		{"frames that came together leave together", []time.Duration{0, 0, 0}, "[10ms 10ms 10ms]"},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			now := begin
			var left []time.Duration
			var order []byte
			q := newQueue(10*time.Millisecond, func(frame []byte) {
				left, order = append(left, now.Sub(begin)), append(order, frame...)
			})
			q.now = func() time.Time { return now }
			q.sleep = func(d time.Duration) { now = now.Add(d) }
			for i, at := range row.came {
				q.add([]byte{byte(i)}, begin.Add(at))
			}
			close(q.waiting)
			q.run()
			if got := fmt.Sprint(left); got != row.want {
				t.Errorf("left after %s, want %s", got, row.want)
			}
			for i, frame := range order {
				if int(frame) != i {
					t.Errorf("order %v", order)
				}
			}
		})
	}
}

func TestQueueDropsWhatDoesNotFit(t *testing.T) {
	sent := 0
	q := newQueue(time.Millisecond, func([]byte) { sent++ })
	q.sleep = func(time.Duration) {}
	for range capacity + 10 {
		q.add(nil, time.Time{})
	}
	close(q.waiting)
	q.run()
	if sent != capacity {
		t.Errorf("%d of %d frames were kept", sent, capacity)
	}
}
