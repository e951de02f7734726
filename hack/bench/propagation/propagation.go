package propagation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hanse-io/hanse/hack/bench/controlplanes"
	"github.com/hanse-io/hanse/hack/bench/figures"
)

// Options say how much is measured.
type Options struct {
	// Consortia are how many there are, and how many change at once in a burst.
	Consortia int
	// Rounds at four changes a second, each of Changes, which are no more than Consortia; and Bursts.
	Rounds, Changes, Bursts int
	// Idle is how long nothing is done.
	Idle time.Duration
	// Trace is told where the time went, if it is set.
	Trace func(format string, arguments ...any)
	// Profiles is the directory for profiles of the API servers during the bursts; none are taken if it is empty.
	Profiles string
}

// interval between changes, four a second.
const interval = 250 * time.Millisecond

// profileSeconds is about how long the bursts take.
const profileSeconds = 12

// settle bounds the wait for a quiet state.
const settle = 3 * time.Minute

// Measure takes all figures of the propagation.
func Measure(ctx context.Context, p *controlplanes.ControlPlanes, o Options, s *figures.Set) error {
	t, err := track(ctx, p)
	if err != nil {
		return err
	}
	defer t.close()
	if err := declare(ctx, p.Host.Client, 0, 1); err != nil {
		return err
	}
	if err := t.quiet(ctx, 1, 2*time.Second, settle); err != nil {
		return err
	}
	if err := memory(ctx, p, o, "idle"); err != nil {
		return err
	}
	if o.Idle > 0 {
		if err := idle(ctx, p, o.Idle, s); err != nil {
			return err
		}
	}
	if err := declare(ctx, p.Host.Client, 1, o.Consortia); err != nil {
		return err
	}
	if err := t.quiet(ctx, o.Consortia, 2*time.Second, settle); err != nil {
		return err
	}
	r := &runs{t: t, p: p, o: o}
	if err := r.steady(ctx, s); err != nil {
		return err
	}
	if err := r.bursts(ctx, s); err != nil {
		return err
	}
	if err := memory(ctx, p, o, "consortia"); err != nil {
		return err
	}
	rss, err := p.Agent.RSS()
	s.AtMost(fmt.Sprintf("agent memory, %d consortia", o.Consortia), "MB", 80, rss)
	return err
}

// memory writes profiles of the agent's memory, if there is a directory for profiles.
func memory(ctx context.Context, p *controlplanes.ControlPlanes, o Options, name string) error {
	if o.Profiles == "" {
		return nil
	}
	return p.Agent.Memory(ctx, o.Profiles, name)
}

// runs numbers the changes: every one is to a version that was not there before.
type runs struct {
	t       *tracker
	p       *controlplanes.ControlPlanes
	o       Options
	version int
}

func (r *runs) change(ctx context.Context, name string, n int) error {
	r.t.expect(name, version(n))
	if err := apply(ctx, r.p.Host.Client, contract(name, n)); err != nil {
		return err
	}
	r.t.accepted(name, time.Now())
	return nil
}

// steady changes one consortium after the other, four a second.
func (r *runs) steady(ctx context.Context, s *figures.Set) error {
	var down, back spread
	for range r.o.Rounds {
		r.version++
		since, err := r.mark()
		if err != nil {
			return err
		}
		var names []string
		tick := time.NewTicker(interval)
		for i := range r.o.Changes {
			name := consortium(i)
			if err := r.change(ctx, name, r.version); err != nil {
				tick.Stop()
				return err
			}
			names = append(names, name)
			<-tick.C
		}
		tick.Stop()
		if err := r.all(ctx, names); err != nil {
			return err
		}
		r.trace("4 changes/s", names, since)
		d, b := r.t.times(names)
		down.add(d)
		back.add(b)
	}
	s.AtMost("propagation to the agent, 4 changes/s, p50", "ms", 8, down.p50...)
	s.Plain("propagation to the agent, 4 changes/s, p90", "ms", down.p90...)
	s.AtMost("propagation to the agent, 4 changes/s, p99", "ms", 25, down.p99...)
	s.Plain("status back on the host, 4 changes/s, p50", "ms", back.p50...)
	s.Plain("status back on the host, 4 changes/s, p90", "ms", back.p90...)
	s.Plain("status back on the host, 4 changes/s, p99", "ms", back.p99...)
	return nil
}

// bursts changes every consortium at once.
func (r *runs) bursts(ctx context.Context, s *figures.Set) (err error) {
	var down, back spread
	if r.o.Profiles != "" {
		taken := make(chan error, 1)
		go func() { taken <- r.p.Profile(ctx, profileSeconds, r.o.Profiles) }()
		defer func() { err = errors.Join(err, <-taken) }()
	}
	for range r.o.Bursts {
		if err := r.t.quiet(ctx, r.o.Consortia, time.Second, settle); err != nil {
			return err
		}
		r.version++
		since, err := r.mark()
		if err != nil {
			return err
		}
		var names []string
		group, inner := errgroup.WithContext(ctx)
		for i := range r.o.Consortia {
			name := consortium(i)
			names = append(names, name)
			group.Go(func() error { return r.change(inner, name, r.version) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := r.all(ctx, names); err != nil {
			return err
		}
		r.trace("burst", names, since)
		d, b := r.t.times(names)
		down.add(d)
		back.add(b)
	}
	what := fmt.Sprintf("burst of %d, ", r.o.Consortia)
	s.Plain("propagation to the agent, "+what+"p50", "ms", down.p50...)
	s.AtMost("propagation to the agent, "+what+"p99", "ms", 400, down.p99...)
	s.Plain("status back on the host, "+what+"p50", "ms", back.p50...)
	s.Plain("status back on the host, "+what+"p99", "ms", back.p99...)
	return nil
}

// all waits until all changes have come back.
func (r *runs) all(ctx context.Context, names []string) error {
	return r.t.wait(ctx, time.Minute, "every answer to the changes", func() bool {
		for _, name := range names {
			if !r.t.arrived(name) {
				return false
			}
		}
		return true
	})
}

// spread gathers percentiles over rounds.
type spread struct{ p50, p90, p99 []float64 }

func (s *spread) add(values []float64) {
	s.p50 = append(s.p50, figures.Percentile(values, 50))
	s.p90 = append(s.p90, figures.Percentile(values, 90))
	s.p99 = append(s.p99, figures.Percentile(values, 99))
}
