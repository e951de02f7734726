package discovery

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/hanse-io/hanse/statement"
)

// fanout is the number of members to which a statement of another member is forwarded. Its own agent sends it to everybody
// whom it can reach; this covers the others.
const fanout = 2

// gossip is a running group.
type gossip struct {
	group     *group
	list      *memberlist.Memberlist
	transport *transport
	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup
	exchanges chan struct{} // semaphore of running exchanges

	mu       sync.Mutex
	contacts map[string]*contact
	alive    map[string]bool // by memberlist, which is not trusted: triggers probes only
}

// start begins to gossip.
func (r *group) start() error {
	g := &gossip{
		group: r, transport: newTransport(r), exchanges: make(chan struct{}, maxExchanges),
		contacts: map[string]*contact{}, alive: map[string]bool{},
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	list, err := memberlist.Create(g.config())
	if err != nil {
		g.cancel()
		_ = g.transport.Shutdown()
		return err
	}
	g.list = list
	r.mu.Lock()
	r.gossip = g
	var names []string
	for name := range r.peers {
		names = append(names, name)
	}
	r.mu.Unlock()
	g.updateContacts(names, nil)
	return nil
}

// stop shuts down without memberlist's leave message: a restart need not be broadcast, and the loss of an agent is
// detected within seconds.
func (r *group) stop() {
	r.mu.Lock()
	g := r.gossip
	r.gossip = nil
	r.mu.Unlock()
	if g == nil {
		return
	}
	g.mu.Lock()
	g.cancel()
	for _, c := range g.contacts {
		c.stop()
	}
	g.mu.Unlock()
	if err := g.list.Shutdown(); err != nil {
		r.d.log.Error(err, "cannot stop gossip", "consortium", r.name)
	}
	g.running.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		p.online = false
	}
	r.updateView()
}

// incoming is the transport for incoming connections; nil while gossip does not run.
func (r *group) incoming() *transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gossip == nil {
		return nil
	}
	return r.gossip.transport
}

// config is memberlist's LAN defaults with faster failure detection: a lost agent is suspected within two probes and
// declared dead about four seconds later.
func (g *gossip) config() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = g.group.self()
	c.Transport = g.transport
	c.BindPort, c.AdvertisePort = placeholderPort, placeholderPort
	c.AdvertiseAddr = placeholderAddr.String()
	c.RequireNodeNames = true
	c.TCPTimeout = dialTimeout
	c.ProbeInterval, c.ProbeTimeout = time.Second, 600*time.Millisecond
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = 3, 2
	c.AwarenessMaxMultiplier = 3
	c.PushPullInterval = 15 * time.Second
	c.GossipToTheDeadTime = 30 * time.Second
	c.EnableCompression = false
	c.UDPBufferSize = 4096
	c.DNSConfigPath = ""
	c.Logger = memberlistLog(g.group.d.log.WithValues("consortium", g.group.name))
	c.Delegate = delegate{g.group}
	c.Events = events{g}
	c.Alive = aliveFilter{g.group}
	return c
}

// updateContacts starts contacts of members that are new or have a new root, after it has closed those that were removed.
func (g *gossip) updateContacts(added, removed []string) {
	for _, name := range removed {
		g.transport.forget(name)
		g.mu.Lock()
		if c := g.contacts[name]; c != nil {
			c.stop()
			delete(g.contacts, name)
		}
		g.mu.Unlock()
	}
	for _, name := range added {
		g.mu.Lock()
		if c := g.contacts[name]; c != nil {
			c.wake()
		} else if g.ctx.Err() == nil {
			g.contacts[name] = newContact(g, name)
		}
		g.mu.Unlock()
	}
}

// begin counts a goroutine that stop waits for; false after stop. Its end is running.Done.
func (g *gossip) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return false
	}
	g.running.Add(1)
	return true
}

func (g *gossip) contact(member string) *contact {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.contacts[member]
}

func (g *gossip) isAlive(member string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.alive[member]
}

// probe triggers a probe of a member.
func (g *gossip) probe(member string) {
	if c := g.contact(member); c != nil {
		c.wake()
	}
}

// broadcast queues a new statement for the other members.
func (g *gossip) broadcast(key statement.Key) {
	var online []string
	for _, m := range g.group.view.Load().Members {
		if m.Online && m.Name != g.group.self() && m.Name != key.Member {
			online = append(online, m.Name)
		}
	}
	if key.Member != g.group.self() && len(online) > fanout {
		rand.Shuffle(len(online), func(i, j int) { online[i], online[j] = online[j], online[i] })
		online = online[:fanout]
	}
	for _, name := range online {
		if c := g.contact(name); c != nil {
			c.queue(key)
		}
	}
}

// join does a full state exchange with one member.
func (g *gossip) join(member string) error {
	_, err := g.list.Join([]string{member + "/" + net.JoinHostPort(placeholderAddr.String(), strconv.Itoa(placeholderPort))})
	return err
}

// send sends a state to one member: over the existing packet connection if it fits into a packet, because opening
// another connection takes several round trips.
func (g *gossip) send(member string, state []byte) error {
	to := &memberlist.Node{Name: member, Addr: placeholderAddr, Port: uint16(placeholderPort)}
	if len(state) < maxPacket {
		return g.list.SendBestEffort(to, state)
	}
	return g.list.SendReliable(to, state)
}

// ping pings one member.
func (g *gossip) ping(member string) error {
	_, err := g.list.Ping(member, &net.TCPAddr{IP: placeholderAddr, Port: placeholderPort})
	return err
}
