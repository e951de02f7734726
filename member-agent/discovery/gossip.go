package discovery

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// relays is the number of members that a record is passed on to by those who did not sign it. Its own agent tells
// everybody that it is in contact with; this is for those whom it cannot reach.
const relays = 2

// gossip is a ring that runs.
type gossip struct {
	ring      *ring
	list      *memberlist.Memberlist
	transport *transport
	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup
	exchanges chan struct{} // one for each exchange that is under way

	mu       sync.Mutex
	contacts map[string]*contact
	alive    map[string]bool // what the ring says: a reason to look, no more
}

// start begins to gossip.
func (r *ring) start() error {
	g := &gossip{
		ring: r, transport: newTransport(r), exchanges: make(chan struct{}, maxExchanges),
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
	g.follow(names, nil)
	return nil
}

// stop leaves without a farewell: an agent that is restarted is not worth waking everybody for, and one that is gone
// for good is noticed within seconds.
func (r *ring) stop() {
	r.mu.Lock()
	g := r.gossip
	r.gossip = nil
	r.mu.Unlock()
	if g == nil {
		return
	}
	g.cancel()
	if err := g.list.Shutdown(); err != nil {
		r.d.log.Error(err, "cannot stop gossip", "consortium", r.name)
	}
	g.running.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		p.online = false
	}
	r.publish()
}

// incoming is where calls for the ring go; nil while it does not run.
func (r *ring) incoming() *transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gossip == nil {
		return nil
	}
	return r.gossip.transport
}

// config is memberlist's for a network like a LAN, with ears that are pricked: a lost agent is suspected within two
// probes and given up about four seconds later.
func (g *gossip) config() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = g.ring.self()
	c.Transport = g.transport
	c.BindPort, c.AdvertisePort = nowherePort, nowherePort
	c.AdvertiseAddr = nowhere.String()
	c.RequireNodeNames = true
	c.TCPTimeout = callTimeout
	c.ProbeInterval, c.ProbeTimeout = time.Second, 600*time.Millisecond
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = 3, 2
	c.AwarenessMaxMultiplier = 3
	c.PushPullInterval = 15 * time.Second
	c.GossipToTheDeadTime = 30 * time.Second
	c.EnableCompression = false
	c.UDPBufferSize = 4096
	c.DNSConfigPath = ""
	c.Logger = memberlistLog(g.ring.d.log.WithValues("consortium", g.ring.name))
	c.Delegate = delegate{g.ring}
	c.Events = events{g}
	c.Alive = gatekeeper{g.ring}
	return c
}

// follow takes up members that are new or have a new root, after it has let go of those that are gone or had another.
func (g *gossip) follow(fresh, gone []string) {
	for _, name := range gone {
		g.transport.forget(name)
		g.mu.Lock()
		if c := g.contacts[name]; c != nil {
			c.cancel()
			delete(g.contacts, name)
		}
		g.mu.Unlock()
	}
	for _, name := range fresh {
		g.mu.Lock()
		if c := g.contacts[name]; c != nil {
			c.wake()
		} else if g.ctx.Err() == nil {
			g.contacts[name] = newContact(g, name)
		}
		g.mu.Unlock()
	}
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

// look makes sure of how a member does.
func (g *gossip) look(member string) {
	if c := g.contact(member); c != nil {
		c.wake()
	}
}

// spread tells others of a record that is new here.
func (g *gossip) spread(member string) {
	var online []string
	for _, m := range g.ring.view.Load().Members {
		if m.Online && m.Name != g.ring.self() && m.Name != member {
			online = append(online, m.Name)
		}
	}
	if member != g.ring.self() && len(online) > relays {
		rand.Shuffle(len(online), func(i, j int) { online[i], online[j] = online[j], online[i] })
		online = online[:relays]
	}
	for _, name := range online {
		if c := g.contact(name); c != nil {
			c.tell(member)
		}
	}
}

// join exchanges everything with one member.
func (g *gossip) join(member string) error {
	_, err := g.list.Join([]string{member + "/" + net.JoinHostPort(nowhere.String(), strconv.Itoa(nowherePort))})
	return err
}

// send hands records to one member: over the connection that is there if they fit into a packet, because opening
// another one takes several times as long as the way itself.
func (g *gossip) send(member string, state []byte) error {
	to := &memberlist.Node{Name: member, Addr: nowhere, Port: uint16(nowherePort)}
	if len(state) < maxPacket {
		return g.list.SendBestEffort(to, state)
	}
	return g.list.SendReliable(to, state)
}

// ping asks one member whether it is there.
func (g *gossip) ping(member string) error {
	_, err := g.list.Ping(member, &net.TCPAddr{IP: nowhere, Port: nowherePort})
	return err
}
