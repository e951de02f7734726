package fabric

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLate(t *testing.T) {
	for _, row := range []struct {
		why    string
		recent []time.Duration
		want   time.Duration
	}{
		{"nothing is known yet", nil, time.Second},
		{"quick commits", []time.Duration{50 * time.Millisecond, 70 * time.Millisecond}, time.Second},
		{"busy nodes", []time.Duration{2 * time.Second, 3 * time.Second, 2 * time.Second}, 6 * time.Second},
		{"some were lost", []time.Duration{50 * time.Millisecond, 50 * time.Millisecond, 20 * time.Second}, time.Second},
	} {
		p := newPace(time.Second)
		for _, latency := range row.recent {
			p.committed(latency)
		}
		if got := p.late(); got != row.want {
			t.Errorf("%s: %v", row.why, got)
		}
	}
	p := newPace(time.Second)
	for range 2 * len(p.recent) {
		p.committed(10 * time.Second)
	}
	for range len(p.recent) {
		p.committed(time.Millisecond)
	}
	if got := p.late(); got != time.Second {
		t.Errorf("what was long ago counts: %v", got)
	}
}

// Under a load that the nodes do not keep up with, everything is late. What is submitted again then is little beside what
// is committed.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Second)
		spend := func() (spent int) {
			for p.again() {
				spent++
			}
			return spent
		}
		if got := spend(); got != budgetBurst {
			t.Errorf("at first %d, want %d", got, budgetBurst)
		}
		for range 50 {
			p.committed(time.Second)
		}
		if got := spend(); got < 4 || got > 5 { // 0.1 has no exact representation
			t.Errorf("%d for 50 commits", got)
		}
		time.Sleep(10 * time.Second)
		if got := spend(); got < 20 || got > 21 {
			t.Errorf("%d after 10 s without a commit", got)
		}
		time.Sleep(time.Hour)
		if got := spend(); got != budgetBurst {
			t.Errorf("%d after an hour, want %d", got, budgetBurst)
		}
	})
}
