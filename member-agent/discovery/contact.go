package discovery

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanse-io/hanse/statement"
)

const (
	// contactTTL is how long authenticated data from a member counts as contact.
	contactTTL = 5 * time.Second
	// offlineGrace is how long a member stays Online that cannot be reached but that memberlist still has as alive.
	offlineGrace = 5 * time.Second
	// A lost member is retried for ever, at intervals that double from retryMin to retryMax.
	retryMin = 500 * time.Millisecond
	retryMax = 5 * time.Second
	// The first connections are made within startJitter for each member of the group, and maxStartJitter at most.
	startJitter    = 50 * time.Millisecond
	maxStartJitter = 2 * time.Second
	// maxExchanges is the number of concurrent exchanges of a group.
	maxExchanges = 8
	// minInterval is the minimum time between two probes of a member, or two packets of statements.
	minInterval = 100 * time.Millisecond
	// maxTries is how often statements are sent to a member before they are left to the next exchange.
	maxTries = 3
)

// contact is the state of one other member: whether it can be reached, and the statements queued for it.
type contact struct {
	g      *gossip
	member string
	cancel context.CancelFunc
	wakeup chan struct{}
	retry  time.Duration
	failed time.Time // the last attempt to reach the member that failed
	// exchanged is whether there was a full exchange since the member is online.
	exchanged bool
	// dropped is set when a packet for the member was dropped. The next probe exchanges everything.
	dropped atomic.Bool

	mu      sync.Mutex
	pending map[statement.Key]bool // statements to send
	asked   map[statement.Key]bool // statements to ask for
	queued  chan struct{}
}

// newContact starts a contact. The lock of g is held.
func newContact(g *gossip, member string) *contact {
	ctx, cancel := context.WithCancel(g.ctx)
	c := &contact{
		g: g, member: member, cancel: cancel, wakeup: make(chan struct{}, 1), retry: retryMin,
		pending: map[statement.Key]bool{}, asked: map[statement.Key]bool{}, queued: make(chan struct{}, 1),
	}
	g.running.Go(func() { c.run(ctx) })
	g.running.Go(func() { c.sendPending(ctx) })
	return c
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (c *contact) wake() { signal(c.wakeup) }

// run probes the member on wakeups and at intervals. The first probe is delayed by a jitter, unless there is a wakeup, so
// that an agent that starts does not connect to everybody at once.
func (c *contact) run(ctx context.Context) {
	first := time.NewTimer(rand.N(min(maxStartJitter, time.Duration(1+c.g.group.size())*startJitter)))
	defer first.Stop()
	select {
	case <-ctx.Done():
	case <-c.wakeup:
	case <-first.C:
	}
	for ctx.Err() == nil {
		timer := time.NewTimer(c.probe(ctx))
		sleep(ctx, minInterval)
		select {
		case <-ctx.Done():
		case <-c.wakeup:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// probe finds out whether the member can be reached, and returns the interval to the next probe. A new contact begins with
// a full exchange.
func (c *contact) probe(ctx context.Context) time.Duration {
	group := c.g.group
	if !group.has(c.member) {
		return retryMax
	}
	if c.dropped.Swap(false) {
		c.exchanged = false
	}
	alive, lastSeen, now := c.g.isAlive(c.member), group.lastSeen(c.member), group.now()
	if alive && lastSeen.After(c.failed) && now.Sub(lastSeen) < contactTTL {
		group.setOnline(c.member, true)
		if c.exchanged {
			c.retry = retryMin
			return contactTTL - now.Sub(lastSeen)
		}
	}
	err := c.exchange(ctx, alive)
	if ctx.Err() != nil {
		return 0
	}
	if err == nil {
		group.setOnline(c.member, true)
		if alive {
			c.retry = retryMin
			return contactTTL
		}
		// memberlist does not have it as alive yet.
		return c.nextRetry()
	}
	c.failed = group.now()
	c.g.transport.resetConn(c.member)
	if !alive || c.failed.Sub(lastSeen) > offlineGrace {
		c.exchanged = false
		group.setOnline(c.member, false)
	}
	return c.nextRetry()
}

// exchange contacts the member itself: with a ping where that is enough, else with a full exchange, by which a member
// rejoins the group.
func (c *contact) exchange(ctx context.Context, alive bool) error {
	began := time.Now()
	if alive && c.exchanged {
		if c.g.ping(c.member) == nil {
			return nil
		}
		c.g.group.resetSilent(c.member, began)
	}
	select {
	case c.g.exchanges <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.g.exchanges }()
	began = time.Now()
	err := c.g.join(c.member)
	if err != nil {
		c.g.group.resetSilent(c.member, began)
	}
	c.exchanged = c.exchanged || err == nil
	return err
}

func (c *contact) nextRetry() time.Duration {
	wait := c.retry
	c.retry = min(2*c.retry, retryMax)
	return wait
}

// queue queues a statement. Only its key is queued, so that of several changes the last one is sent.
func (c *contact) queue(key statement.Key) {
	c.mu.Lock()
	c.pending[key] = true
	c.mu.Unlock()
	signal(c.queued)
}

// ask queues a question.
func (c *contact) ask(keys []statement.Key) {
	c.mu.Lock()
	for _, key := range keys {
		c.asked[key] = true
	}
	c.mu.Unlock()
	signal(c.queued)
}

// takePending takes what is to be sent and to be asked for.
func (c *contact) takePending() (keys, asked []statement.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys, asked = sortedKeys(c.pending), sortedKeys(c.asked)
	clear(c.pending)
	clear(c.asked)
	return keys, asked
}

// sendPending sends the queued statements and questions.
func (c *contact) sendPending(ctx context.Context) {
	tries := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.queued:
		}
		keys, asked := c.takePending()
		state := c.g.group.stateOf(ctx, keys, asked)
		if len(state) == 0 {
			continue
		}
		if err := c.g.send(c.member, state); err == nil {
			tries = 0
			sleep(ctx, minInterval)
		} else if tries++; tries < maxTries {
			for _, key := range keys {
				c.queue(key)
			}
			c.ask(asked)
			sleep(ctx, retryMin)
		} else {
			tries = 0
			c.wake()
		}
	}
}
