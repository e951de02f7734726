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

// contact is the state of one other member: whether it can be reached, and the statements queued for it. An agent has one for
// each member of each group, so it has no goroutine while there is nothing to do.
type contact struct {
	g      *gossip
	member string
	ctx    context.Context
	cancel context.CancelFunc

	// One probe runs at a time, which has these.
	retry  time.Duration
	failed time.Time // the last attempt to reach the member that failed
	// exchanged is whether there was a full exchange since the member is online.
	exchanged bool
	// dropped is set when a packet for the member was dropped. The next probe exchanges everything.
	dropped atomic.Bool

	mu      sync.Mutex
	timer   *time.Timer // to the next probe
	probing bool
	woken   bool                   // during a probe
	probed  time.Time              // when the last probe ended
	pending map[statement.Key]bool // statements to send
	asked   map[statement.Key]bool // statements to ask for
	sending bool
}

// newContact starts a contact. Its first probe is delayed by a jitter, unless there is a wakeup, so that an agent that starts
// does not connect to everybody at once.
func newContact(g *gossip, member string) *contact {
	c := &contact{
		g: g, member: member, retry: retryMin, pending: map[statement.Key]bool{}, asked: map[statement.Key]bool{},
	}
	c.ctx, c.cancel = context.WithCancel(g.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	jitter := min(maxStartJitter, time.Duration(1+g.group.size())*startJitter)
	c.timer = time.AfterFunc(rand.N(jitter), c.run)
	return c
}

// stop ends a contact, without waiting for a probe that runs.
func (c *contact) stop() {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
}

// wake has the member probed now, or minInterval after its last probe.
func (c *contact) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probing {
		c.woken = true
		return
	}
	c.timer.Reset(max(0, minInterval-time.Since(c.probed)))
}

// run probes the member, and sets the timer to the next probe.
func (c *contact) run() {
	if !c.g.begin() {
		return
	}
	defer c.g.running.Done()
	c.mu.Lock()
	if c.probing || c.ctx.Err() != nil {
		c.mu.Unlock()
		return
	}
	c.probing = true
	c.mu.Unlock()
	next := c.probe(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.woken {
		next = 0
	}
	c.probing, c.woken, c.probed = false, false, time.Now()
	if c.ctx.Err() == nil {
		c.timer.Reset(max(minInterval, next))
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
		c.resetSilent(ctx, began)
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
		c.resetSilent(ctx, began)
	}
	c.exchanged = c.exchanged || err == nil
	return err
}

// resetSilent closes the connection with the member, which other groups share, if nothing has come on it since an exchange
// began that has failed. On a machine that had no time for this agent, what has come may still have to be read.
func (c *contact) resetSilent(ctx context.Context, began time.Time) {
	sleep(ctx, minInterval)
	c.g.group.resetSilent(c.member, began)
}

func (c *contact) nextRetry() time.Duration {
	wait := c.retry
	c.retry = min(2*c.retry, retryMax)
	return wait
}

// queue queues a statement. Only its key is queued, so that of several changes the last one is sent.
func (c *contact) queue(key statement.Key) { c.enqueue([]statement.Key{key}, nil) }

// ask queues a question.
func (c *contact) ask(keys []statement.Key) { c.enqueue(nil, keys) }

func (c *contact) enqueue(keys, asked []statement.Key) {
	if !c.g.begin() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		c.pending[key] = true
	}
	for _, key := range asked {
		c.asked[key] = true
	}
	if c.sending {
		c.g.running.Done()
		return
	}
	c.sending = true
	go c.sendPending()
}

// takePending takes what is to be sent and to be asked for; if there is nothing, sending ends.
func (c *contact) takePending() (keys, asked []statement.Key, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys, asked = sortedKeys(c.pending), sortedKeys(c.asked)
	clear(c.pending)
	clear(c.asked)
	c.sending = len(keys)+len(asked) > 0 && c.ctx.Err() == nil
	return keys, asked, c.sending
}

// sendPending sends the queued statements and questions, until there are none.
func (c *contact) sendPending() {
	defer c.g.running.Done()
	tries := 0
	for {
		keys, asked, ok := c.takePending()
		if !ok {
			return
		}
		state := c.g.group.stateOf(c.ctx, keys, asked)
		if len(state) == 0 {
			continue
		}
		if err := c.g.send(c.member, state); err == nil {
			tries = 0
			sleep(c.ctx, minInterval)
		} else if tries++; tries < maxTries {
			c.enqueue(keys, asked)
			sleep(c.ctx, retryMin)
		} else {
			tries = 0
			c.wake()
		}
	}
}
