package discovery

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// fresh is how long word from a member itself counts as contact.
	fresh = 5 * time.Second
	// grace is how long a member stays Online that cannot be reached any more but which the ring has not given up.
	grace = 5 * time.Second
	// Attempts to reach a member that is lost go on for ever, at intervals that double from the first to the last.
	firstRetry = 500 * time.Millisecond
	lastRetry  = 5 * time.Second
	// stagger for each member of the ring, and maxStagger at the most, is the time in which the first calls are made.
	stagger    = 50 * time.Millisecond
	maxStagger = 2 * time.Second
	// maxExchanges is how many members of a ring are called at a time.
	maxExchanges = 8
	// breath is the least time between two looks at a member, or two deliveries, whatever reasons there are.
	breath = 100 * time.Millisecond
	// maxTries is how often records are sent to a member before that is left to the next exchange.
	maxTries = 3
)

// contact is this agent's relation to one other member: whether it can be reached, and what it is still to be told.
type contact struct {
	g      *gossip
	member string
	cancel context.CancelFunc
	kick   chan struct{}
	retry  time.Duration
	failed time.Time // the last attempt to reach the member that failed
	// exchanged is whether everything has been exchanged since contact was made.
	exchanged bool
	// missed is set when something for the member was dropped on the way. The next look makes up for it.
	missed atomic.Bool

	mu      sync.Mutex
	pending map[string]bool // members whose records are to be sent
	news    chan struct{}
}

// newContact starts one. The lock of g is held.
func newContact(g *gossip, member string) *contact {
	ctx, cancel := context.WithCancel(g.ctx)
	c := &contact{
		g: g, member: member, cancel: cancel, kick: make(chan struct{}, 1), retry: firstRetry,
		pending: map[string]bool{}, news: make(chan struct{}, 1),
	}
	g.running.Go(func() { c.watch(ctx) })
	g.running.Go(func() { c.deliver(ctx) })
	return c
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (c *contact) wake() { signal(c.kick) }

// watch looks whenever there is a reason to, and from time to time. It does not begin at once, lest an agent that starts
// call everybody in the same moment; whoever is heard of is looked at without delay.
func (c *contact) watch(ctx context.Context) {
	first := time.NewTimer(rand.N(min(maxStagger, time.Duration(1+c.g.ring.size())*stagger)))
	defer first.Stop()
	select {
	case <-ctx.Done():
	case <-c.kick:
	case <-first.C:
	}
	for ctx.Err() == nil {
		timer := time.NewTimer(c.look(ctx))
		pause(ctx, breath)
		select {
		case <-ctx.Done():
		case <-c.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look finds out whether the member is there, and returns when to look again at the latest. Contact that is new, or new
// again, begins with an exchange of everything.
func (c *contact) look(ctx context.Context) time.Duration {
	ring := c.g.ring
	if !ring.has(c.member) {
		return lastRetry
	}
	if c.missed.Swap(false) {
		c.exchanged = false
	}
	alive, heard, now := c.g.isAlive(c.member), ring.lastHeard(c.member), ring.now()
	if alive && heard.After(c.failed) && now.Sub(heard) < fresh {
		ring.setOnline(c.member, true)
		if c.exchanged {
			c.retry = firstRetry
			return fresh - now.Sub(heard)
		}
	}
	err := c.reach(ctx, alive)
	if ctx.Err() != nil {
		return 0
	}
	if err == nil {
		ring.setOnline(c.member, true)
		if alive {
			c.retry = firstRetry
			return fresh
		}
		// The ring will have to find out, too.
		return c.later()
	}
	c.failed = ring.now()
	c.g.transport.redial(c.member)
	if !alive || c.failed.Sub(heard) > grace {
		c.exchanged = false
		ring.setOnline(c.member, false)
	}
	return c.later()
}

// reach asks the member itself: with a packet where that will do, else with an exchange of everything, by which a
// member that comes back is in the ring again.
func (c *contact) reach(ctx context.Context, alive bool) error {
	if alive && c.exchanged && c.g.ping(c.member) == nil {
		return nil
	}
	select {
	case c.g.exchanges <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.g.exchanges }()
	err := c.g.join(c.member)
	c.exchanged = c.exchanged || err == nil
	return err
}

func (c *contact) later() time.Duration {
	wait := c.retry
	c.retry = min(2*c.retry, lastRetry)
	return wait
}

// tell has a record sent to the member. Only which one is noted, so that of many changes the last is sent.
func (c *contact) tell(about string) {
	c.mu.Lock()
	c.pending[about] = true
	c.mu.Unlock()
	signal(c.news)
}

func (c *contact) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name := range c.pending {
		names = append(names, name)
	}
	clear(c.pending)
	slices.Sort(names)
	return names
}

// deliver sends what there is to be told.
func (c *contact) deliver(ctx context.Context) {
	tries := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.news:
		}
		names := c.take()
		if len(names) == 0 {
			continue
		}
		state := c.g.ring.excerpt(names)
		if len(state) == 0 {
			continue
		}
		if err := c.g.send(c.member, state); err == nil {
			tries = 0
			pause(ctx, breath)
		} else if tries++; tries < maxTries {
			for _, name := range names {
				c.tell(name)
			}
			pause(ctx, firstRetry)
		} else {
			tries = 0
			c.wake()
		}
	}
}
