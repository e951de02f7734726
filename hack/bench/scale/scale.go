package scale

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
	"github.com/hanse-io/hanse/hack/bench/figures"
)

// changedMembers is how many Members are changed, one after the other, at each size.
const changedMembers = 3

// Aims at the largest size: memory of the controller in MB, and times in seconds.
const (
	aimMemory  = 300
	aimChange  = 1
	aimRestart = 60
)

// Options say how much is measured.
type Options struct {
	Sizes []Size
	// Profiles is the directory for profiles of the controller; none are taken if it is empty.
	Profiles string
}

// Measure grows one host from size to size and measures it at each.
func Measure(ctx context.Context, p *controlplanes.ControlPlanes, o Options, s *figures.Set) error {
	watch, err := observe(ctx, p.Host)
	if err != nil {
		return err
	}
	var before Size
	for _, size := range o.Sizes {
		m := &measurement{p: p, watch: watch, o: o, s: s, size: size, aims: size == o.Sizes[len(o.Sizes)-1]}
		for _, step := range []func(context.Context, Size) error{m.grow, m.change, m.restart} {
			if err := step(ctx, before); err != nil {
				return fmt.Errorf("%s: %w", size, err)
			}
		}
		before = size
	}
	return nil
}

// measurement is of one size.
type measurement struct {
	p     *controlplanes.ControlPlanes
	watch *observer
	o     Options
	s     *figures.Set
	size  Size
	// aims is whether the figures are held against aims.
	aims bool
}

// add adds a figure of this size.
func (m *measurement) add(name, unit string, aim float64, values ...float64) {
	name = fmt.Sprintf("%d Members: %s", int(m.size), name)
	if m.aims && aim > 0 {
		m.s.AtMost(name, unit, aim, values...)
		return
	}
	m.s.Plain(name, unit, values...)
}

// grow declares what this size has more than the one before, and waits until all of it is ready.
func (m *measurement) grow(ctx context.Context, before Size) error {
	began := time.Now()
	m.watch.begin()
	if err := grow(ctx, m.p.Host.Client, before, m.size); err != nil {
		return err
	}
	declared := time.Now()
	last, state, err := m.watch.settled(ctx, m.p.Federation, m.size, 0, 10*time.Minute)
	if err != nil {
		return err
	}
	if _, _, err := idle(ctx, m.p.Federation, time.Minute); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "   %s: declared in %.0f s, settled in %.0f s: %v\n", m.size, declared.Sub(began).Seconds(), last.Sub(began).Seconds(), state)
	return m.memory(ctx, "memory of the controller, grown", "grown")
}

func (m *measurement) memory(ctx context.Context, figure, profile string) error {
	rss, err := m.p.Federation.RSS()
	if err != nil {
		return err
	}
	m.add(figure, "MB", aimMemory, rss)
	if m.o.Profiles == "" {
		return nil
	}
	return m.p.Federation.Memory(ctx, m.o.Profiles, fmt.Sprintf("%d-%s", int(m.size), profile))
}

// change gives Members another root certificate, one after the other, which all plans of their Consortia have.
func (m *measurement) change(ctx context.Context, _ Size) error {
	var took, cpu, own, requests []float64
	for n := range changedMembers {
		i := int(m.size) / changedMembers * n
		m.watch.begin()
		cost, err := startCost(m.p)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := changeMember(ctx, m.p.Host.Client, i, func(s *v1alpha1.MemberStatus) error { return renewRoot(memberName(i), s) }); err != nil {
			return err
		}
		last, state, err := m.watch.settled(ctx, m.p.Federation, m.size, len(consortiaOf(i))*groupMembers, time.Minute)
		if err != nil {
			return err
		}
		if err := cost.end(ctx); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "   %s: %s changed, settled in %.2f s: %v, %v\n", m.size, memberName(i), last.Sub(began).Seconds(), state, cost.verbs)
		took, cpu = append(took, last.Sub(began).Seconds()), append(cpu, cost.server)
		own, requests = append(own, cost.controller), append(requests, float64(cost.requests))
	}
	m.add("one changed Member settled", "s", aimChange, took...)
	m.add("one changed Member, requests of the controller", "", 0, requests...)
	m.add("one changed Member, CPU of the API server", "s", 0, cpu...)
	m.add("one changed Member, CPU of the controller", "s", 0, own...)
	return nil
}

// restart stops the controller and starts it again, until it has nothing left to do.
func (m *measurement) restart(ctx context.Context, _ Size) error {
	m.watch.begin()
	if err := m.p.StopFederation(); err != nil {
		return err
	}
	cost, err := startCost(m.p)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := m.p.StartFederation(ctx); err != nil {
		return err
	}
	since, last, err := idle(ctx, m.p.Federation, 5*time.Minute)
	if err != nil {
		return err
	}
	if err := cost.end(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "   %s: restarted in %.1f s, %.0f reconciles: %v\n", m.size, since.Sub(began).Seconds(), last.reconciles, cost.verbs)
	m.add("restart of the controller to settled", "s", aimRestart, since.Sub(began).Seconds())
	m.add("restart, requests of the controller", "", 0, float64(cost.requests))
	m.add("restart, writes of the controller", "", 0, float64(cost.writes))
	m.add("restart, CPU of the API server", "s", 0, cost.server)
	m.add("restart, CPU of the controller", "s", 0, cost.controller)
	return m.memory(ctx, "memory of the controller, restarted", "restarted")
}
