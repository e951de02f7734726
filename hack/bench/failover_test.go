package main

import (
	"testing"

	"github.com/hanse-io/hanse/hack/bench/baseline"
	"github.com/hanse-io/hanse/hack/bench/figures"
)

func TestFillFailover(t *testing.T) {
	var set figures.Set
	fillFailover(&set, baseline.Result{
		Failovers: []baseline.Failover{{Gap: 0.5, Slowest: 1, Steady: 0.1}, {Gap: 4, Slowest: 3, Failed: 2, Resubmitted: 7, Steady: 0.1}, {Gap: 0.6, Slowest: 1.2, Steady: 0.2}},
		Failed:    []string{"b", "a", "b"},
	})
	for name, want := range map[string]float64{
		"a line cut, longest time without a commit, median":            0.6,
		"a line cut, longest time without a commit, worst":             4,
		"a line cut, slowest transaction, worst":                       3,
		"a line cut, transactions that clients submitted again, worst": 7,
		"a line cut, failed transactions, worst":                       2,
		"failed transactions while lines were cut and restored":        3,
	} {
		if got := set.Value(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if len(set.Notes) != 2 {
		t.Errorf("each error is told once: %v", set.Notes)
	}
	if _, err := set.JSON(); err != nil {
		t.Error(err)
	}
	set = figures.Set{}
	fillFailover(&set, baseline.Result{})
	if len(set.Figures) != 0 {
		t.Errorf("nothing was cut: %v", set.Figures)
	}
}
