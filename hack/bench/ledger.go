package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hanse-io/hanse/hack/bench/baseline"
	"github.com/hanse-io/hanse/hack/bench/figures"
	"github.com/hanse-io/hanse/hack/harness"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// shares of the most transactions a second, nodes dialing each other, at which latency is measured.
var shares = []float64{0.25, 0.5, 0.9}

// ways in the order in which they are measured: the first gives the rates for all.
func ways() []baseline.Way {
	all := []baseline.Way{baseline.Direct, baseline.Gateways, baseline.Doubled}
	if baseline.HasHAProxy() {
		all = append(all, baseline.HAProxy)
	}
	return all
}

func (b *bench) ledger(ctx context.Context) error {
	s, err := harness.New(b.o.name, 3, os.Stderr)
	if err != nil {
		return err
	}
	parts, err := baseline.Parts(ctx, s, filepath.Join(b.dir, "parts"))
	if err != nil {
		return err
	}
	if !baseline.HasHAProxy() {
		b.set.Note("%s", noHAProxy)
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
	up, direct, routed, ratio, cpu, doubled, doubledCPU []float64
	haproxy, besideHAProxy, haproxyCPU                  []float64                    // none if it is not installed
	p50, p99                                            map[baseline.Way][][]float64 // by share
}

// round measures each way once, at the same rates.
func (l *ledgerFigures) round(ctx context.Context, parts fabrictest.Options, dir string) error {
	results := map[baseline.Way]baseline.Result{}
	for i, way := range ways() {
		o := baseline.Order{Parts: parts, Directory: filepath.Join(dir, strconv.Itoa(i)), Way: way, Load: 8 * time.Second}
		if way == baseline.Direct {
			o.Shares = shares
		}
		for _, at := range results[baseline.Direct].Latencies { // none yet in the first turn
			o.Rates = append(o.Rates, at.Rate)
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
	direct, routed, doubled := results[baseline.Direct], results[baseline.Gateways], results[baseline.Doubled]
	l.up = append(l.up, direct.BringUp())
	l.direct = append(l.direct, direct.TPS)
	l.routed = append(l.routed, routed.TPS)
	l.ratio = append(l.ratio, routed.TPS/direct.TPS)
	l.cpu = append(l.cpu, routed.CPU/direct.CPU)
	l.doubled = append(l.doubled, doubled.TPS/routed.TPS)
	l.doubledCPU = append(l.doubledCPU, doubled.CPU/routed.CPU)
	if proxied, measured := results[baseline.HAProxy]; measured {
		l.haproxy = append(l.haproxy, proxied.TPS)
		l.besideHAProxy = append(l.besideHAProxy, routed.TPS/proxied.TPS)
		l.haproxyCPU = append(l.haproxyCPU, routed.CPU/proxied.CPU)
	}
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
	set.Plain("transactions through gateways at twice the work, beside gateways", "times", l.doubled...)
	set.AtLeast("CPU of such a transaction, beside gateways, which has to show", "times", 1.05, l.doubledCPU...)
	set.Plain("CPU of a transaction through gateways, beside direct", "times", l.cpu...)
	if len(l.haproxy) > 0 {
		set.Plain("most transactions, through HAProxy", "/s", l.haproxy...)
		set.Plain("transactions through gateways, beside HAProxy", "times", l.besideHAProxy...)
		set.Plain("CPU of a transaction through gateways, beside HAProxy", "times", l.haproxyCPU...)
	}
	for i, share := range shares {
		for _, way := range ways() {
			if i < len(l.p50[way]) {
				set.Plain(fmt.Sprintf("latency at %.0f %% of the most, %s, p50", share*100, way), "ms", l.p50[way][i]...)
				set.Plain(fmt.Sprintf("latency at %.0f %% of the most, %s, p99", share*100, way), "ms", l.p99[way][i]...)
			}
		}
	}
}
