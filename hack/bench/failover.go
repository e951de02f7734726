package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hanse-io/hanse/hack/bench/baseline"
	"github.com/hanse-io/hanse/hack/bench/figures"
	"github.com/hanse-io/hanse/hack/harness"
)

// cuts is how often a line is cut.
const cuts = 10

func (b *bench) failover(ctx context.Context) error {
	s, err := harness.New(b.o.name, 3, os.Stderr)
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "failover")
	parts, err := baseline.Parts(ctx, s, filepath.Join(dir, "parts"))
	if err != nil {
		return err
	}
	r, err := baseline.Run(ctx, baseline.Order{Parts: parts, Directory: filepath.Join(dir, "network"), Way: baseline.Gateways, Cuts: cuts})
	if err != nil {
		return err
	}
	for n, f := range r.Failovers {
		fmt.Fprintf(os.Stderr, "   cut %d: %+v\n", n+1, f)
	}
	fillFailover(&b.set, r)
	return nil
}

func fillFailover(set *figures.Set, r baseline.Result) {
	var gap, steady, slowest, resubmitted, failed []float64
	for _, f := range r.Failovers {
		gap, steady, slowest = append(gap, f.Gap), append(steady, f.Steady), append(slowest, f.Slowest)
		resubmitted, failed = append(resubmitted, float64(f.Resubmitted)), append(failed, float64(f.Failed))
	}
	if len(gap) == 0 {
		return
	}
	set.Plain("without a cut, longest time between two commits", "s", steady...)
	set.AtMost("a line cut, longest time without a commit, median", "s", 1, gap...)
	set.AtMost("a line cut, longest time without a commit, worst", "s", 1, slices.Max(gap))
	set.Plain("a line cut, slowest transaction, median", "s", slowest...)
	set.AtMost("a line cut, slowest transaction, worst", "s", 2, slices.Max(slowest))
	set.Plain("a line cut, transactions that clients submitted again, median", "", resubmitted...)
	set.Plain("a line cut, transactions that clients submitted again, worst", "", slices.Max(resubmitted))
	set.Plain("a line cut, failed transactions, worst", "", slices.Max(failed))
	set.AtMost("failed transactions while lines were cut and restored", "", 0, float64(len(r.Failed)))
	for _, text := range firstOf(r.Failed, 3) {
		set.Note("a transaction failed: %s", text)
	}
}

// firstOf are the first so many different texts.
func firstOf(texts []string, most int) []string {
	different := slices.Compact(slices.Sorted(slices.Values(texts)))
	return different[:min(most, len(different))]
}
