package baseline

import (
	"errors"
	"testing"
	"time"
)

func TestFailoverOf(t *testing.T) {
	zero := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }
	ok := func(due, done float64) sample { return sample{due: at(due), done: at(done)} }
	cutAt, wholeAt := 10.0, 20.0
	steady := []sample{ok(8, 8.5), ok(8.5, 9), ok(9, 9.5)}
	rows := []struct {
		why  string
		more []sample
		want Failover
	}{
		{"nothing is felt", []sample{ok(10, 10.5), ok(10.5, 11)}, Failover{Gap: 1, Steady: 1, Slowest: 0.5, Committed: 2}},
		{"one that was on its way is slow", []sample{ok(9.75, 13.5), ok(13, 13.5)}, Failover{Gap: 4, Steady: 4, Slowest: 3.75, Committed: 2}},
		{"one is submitted again", []sample{ok(10, 10.5), {due: at(11), done: at(12), resubmitted: true}}, Failover{Gap: 1.5, Steady: 1, Slowest: 1, Committed: 2, Resubmitted: 1}},
		{"one fails", []sample{ok(10, 10.5), {due: at(11), done: at(15), err: errors.New("no")}}, Failover{Gap: 1, Steady: 1, Slowest: 0.5, Committed: 1, Failed: 1}},
		{"nothing is committed before the line is whole again", []sample{ok(12, 24)}, Failover{Gap: 14.5, Steady: 14.5, Slowest: 12, Committed: 1}},
		{"what is due afterwards does not count", []sample{ok(10, 10.5), ok(21, 29)}, Failover{Gap: 18.5, Steady: 1, Slowest: 0.5, Committed: 1}},
	}
	for _, row := range rows {
		if got := failoverOf(append(steady, row.more...), at(cutAt), at(wholeAt)); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.why, got, row.want)
		}
	}
}

func TestLinesTo(t *testing.T) {
	one, two := Order{}.linesTo(1, 2, 7051), Order{Cuts: 1}.linesTo(1, 2, 7051)
	if len(one) != 1 || one[0].Address != lineEnd(2) {
		t.Errorf("without cuts, one line to where the gateway listens: %+v", one)
	}
	if len(two) != 2 || two[0].Address != "10.77.21.1" || two[1].Address != "10.77.21.2" || two[0].Priority >= two[1].Priority {
		t.Errorf("with cuts, two lines, the first of which is used first: %+v", two)
	}
}
