package testbed

import (
	"context"
	"time"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/parts"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Lines lists the lines.
func (t *Testbed) Lines() ([]Line, error) {
	f, err := state.Load(t.name)
	if err != nil {
		return nil, err
	}
	return f.Lines, nil
}

// Line finds one line.
func (t *Testbed) Line(link Link) (Line, error) {
	f, err := state.Load(t.name)
	if err != nil {
		return Line{}, err
	}
	return f.Line(link)
}

// LineState says how a line is: up, cut, missing, slowed to a rate, or delayed by a time.
func (t *Testbed) LineState(ctx context.Context, link Link) (string, error) {
	f, err := state.Load(t.name)
	if err != nil {
		return "", err
	}
	l, err := f.Line(link)
	if err != nil {
		return "", err
	}
	return network.LineState(ctx, f, l), nil
}

// Add adds one more line between two clusters.
func (t *Testbed) Add(ctx context.Context, a, b string) (added Line, err error) {
	return added, t.change(func(f *topology.Testbed) error {
		if added, err = f.AddLine(a, b); err != nil {
			return err
		}
		if err := state.Save(f); err != nil {
			return err
		}
		if err := network.AddLine(ctx, f, added); err != nil {
			return err
		}
		for _, end := range []string{added.A, added.B} {
			c, err := f.Cluster(end)
			if err != nil {
				return err
			}
			if !f.ExposesAPI(end) {
				continue
			}
			if err := newCluster(f, c, nil, nil).RenewServer(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Cut cuts a line.
func (t *Testbed) Cut(ctx context.Context, link Link) error {
	return t.line(link, func(f *topology.Testbed, l Line) error { return network.Cut(ctx, f, l) })
}

// Restore makes a line whole again, at full speed and without delay.
func (t *Testbed) Restore(ctx context.Context, link Link) error {
	return t.line(link, func(f *topology.Testbed, l Line) error { return network.Restore(ctx, f, l) })
}

// Slow limits a line's rate in each direction, written as tc does: 10mbit.
func (t *Testbed) Slow(ctx context.Context, link Link, rate string) error {
	return t.line(link, func(f *topology.Testbed, l Line) error { return network.Slow(ctx, f, l, rate) })
}

// Delay delays what a line carries by a time in each direction, so that a round trip takes twice that longer; 0 ends it.
func (t *Testbed) Delay(ctx context.Context, link Link, delay time.Duration) error {
	built, err := parts.Ensure(ctx, t.progress, delayProgram)
	if err != nil {
		return err
	}
	return t.line(link, func(f *topology.Testbed, l Line) error { return network.Delay(ctx, f, l, delay, built[delayProgram]) })
}

// delayProgram is the part that delays a line.
const delayProgram = "line-delay"

func (t *Testbed) line(link Link, do func(*topology.Testbed, Line) error) error {
	return t.change(func(f *topology.Testbed) error {
		l, err := f.Line(link)
		if err != nil {
			return err
		}
		return do(f, l)
	})
}
