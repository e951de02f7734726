package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hanse-io/hanse/hack/bench/baseline"
	"github.com/hanse-io/hanse/hack/bench/figures"
	"github.com/hanse-io/hanse/hack/harness"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric/fabrictest"
)

// shares of the most transactions a second, nodes dialing each other, at which latency is measured.
var shares = []float64{0.25, 0.5, 0.9}

func (b *bench) ledger(ctx context.Context) error {
	s, err := harness.New(b.o.name, 3, os.Stderr)
	if err != nil {
		return err
	}
	parts, err := baseline.Parts(ctx, s, filepath.Join(b.dir, "parts"))
	if err != nil {
		return err
	}
	var l ledgerFigures
	for round := range b.o.rounds {
		if err := l.round(ctx, parts, filepath.Join(b.dir, fmt.Sprintf("ledger-%d", round))); err != nil {
			return err
		}
	}
	b.baseline = figures.Median(l.up)
	l.fill(&b.set)
	return nil
}

// ledgerFigures gather what the rounds of the section ledger have measured.
type ledgerFigures struct {
	up, direct, routed, ratio, cpu, slowed []float64
	p50, p99                               map[baseline.Way][][]float64 // by share
}

// round measures each way once, at the same rates.
func (l *ledgerFigures) round(ctx context.Context, parts fabrictest.Options, dir string) error {
	results := map[baseline.Way]baseline.Result{}
	for _, way := range []baseline.Way{baseline.Direct, baseline.Gateways, baseline.Slowed} {
		o := baseline.Order{Parts: parts, Directory: filepath.Join(dir, string(way[:6])), Way: way, Load: 8 * time.Second}
		switch way {
		case baseline.Direct:
			o.Shares = shares
		case baseline.Gateways:
			for _, at := range results[baseline.Direct].Latencies {
				o.Rates = append(o.Rates, at.Rate)
			}
		}
		r, err := baseline.Run(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", way, err)
		}
		fmt.Fprintf(os.Stderr, "   %s: %+v\n", way, r)
		if way != baseline.Direct && r.Relayed < 1 {
			return fmt.Errorf("only %.2f MB went through the gateways: the nodes have found another way to each other", r.Relayed)
		}
		results[way] = r
	}
	l.add(results)
	return os.RemoveAll(dir)
}

func (l *ledgerFigures) add(results map[baseline.Way]baseline.Result) {
	direct, routed, slowed := results[baseline.Direct], results[baseline.Gateways], results[baseline.Slowed]
	l.up = append(l.up, direct.BringUp())
	l.direct = append(l.direct, direct.TPS)
	l.routed = append(l.routed, routed.TPS)
	l.ratio = append(l.ratio, routed.TPS/direct.TPS)
	l.cpu = append(l.cpu, routed.CPU/direct.CPU)
	l.slowed = append(l.slowed, slowed.TPS/direct.TPS)
	if l.p50 == nil {
		l.p50, l.p99 = map[baseline.Way][][]float64{}, map[baseline.Way][][]float64{}
	}
	for way, r := range results {
		for i, at := range r.Latencies {
			if len(l.p50[way]) <= i {
				l.p50[way], l.p99[way] = append(l.p50[way], nil), append(l.p99[way], nil)
			}
			l.p50[way][i], l.p99[way][i] = append(l.p50[way][i], at.P50), append(l.p99[way][i], at.P99)
		}
	}
}

func (l *ledgerFigures) fill(set *figures.Set) {
	set.Plain("bring-up without Kubernetes", "s", l.up...)
	set.Plain("most transactions, nodes dialing each other", "/s", l.direct...)
	set.Plain("most transactions, through gateways", "/s", l.routed...)
	set.AtLeast("transactions through gateways, beside direct", "times", 0.95, l.ratio...)
	set.AtMost("the same through gateways stopped half of the time, which has to show", "times", 0.9, l.slowed...)
	set.Plain("CPU of a transaction through gateways, beside direct", "times", l.cpu...)
	for i, share := range shares {
		for _, way := range []baseline.Way{baseline.Direct, baseline.Gateways} {
			if i < len(l.p50[way]) {
				set.Plain(fmt.Sprintf("latency at %.0f %% of the most, %s, p50", share*100, way), "ms", l.p50[way][i]...)
				set.Plain(fmt.Sprintf("latency at %.0f %% of the most, %s, p99", share*100, way), "ms", l.p99[way][i]...)
			}
		}
	}
}
