package discovery

import (
	"fmt"

	"github.com/hashicorp/memberlist"
)

// delegate is memberlist's door to the records of a ring.
type delegate struct{ ring *ring }

func (d delegate) NodeMeta(int) []byte { return nil }

// NotifyMsg takes records that an agent has sent by themselves.
func (d delegate) NotifyMsg(state []byte) { d.ring.takeAll(state) }

func (d delegate) GetBroadcasts(int, int) [][]byte { return nil }

func (d delegate) LocalState(bool) []byte { return d.ring.everything() }

func (d delegate) MergeRemoteState(state []byte, _ bool) { d.ring.takeAll(state) }

// everything is what is told in an exchange.
func (r *ring) everything() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.book.state(r.now(), boundsFor(len(r.book.roots)).state, r.self())
}

// excerpt is the records of some members.
func (r *ring) excerpt(members []string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	some := &book{consortium: r.name, entries: map[string]*entry{}}
	for _, m := range members {
		if e := r.book.entries[m]; e != nil {
			some.entries[m] = e
		}
	}
	return some.state(r.now(), boundsFor(len(r.book.roots)).state)
}

// events notes what the ring says about who is alive. memberlist holds its lock meanwhile.
type events struct{ g *gossip }

func (e events) NotifyJoin(n *memberlist.Node) { e.note(n.Name, true) }

func (e events) NotifyLeave(n *memberlist.Node) { e.note(n.Name, false) }

func (e events) NotifyUpdate(*memberlist.Node) {}

func (e events) note(member string, alive bool) {
	e.g.mu.Lock()
	if alive {
		e.g.alive[member] = true
	} else {
		delete(e.g.alive, member)
	}
	e.g.mu.Unlock()
	e.g.look(member)
}

// gatekeeper keeps everything out of memberlist's list that an agent would not say of itself: names that the plan does
// not have, other addresses than the one that all have, and versions that would make memberlist refuse all exchanges.
type gatekeeper struct{ ring *ring }

func (k gatekeeper) NotifyAlive(n *memberlist.Node) error {
	switch {
	case n.Name != k.ring.self() && !k.ring.has(n.Name):
		return fmt.Errorf("%.60q is not in the ring, or its root is not known", n.Name)
	// Byte for byte: the same address in another form would make the member's own words conflict with it.
	case string(n.Addr) != string(nowhere) || int(n.Port) != nowherePort:
		return fmt.Errorf("address %s:%d is not an agent's", n.Addr, n.Port)
	case len(n.Meta) > 0:
		return fmt.Errorf("%d bytes of metadata", len(n.Meta))
	case n.PMin > memberlist.ProtocolVersion2Compatible || n.PMax < memberlist.ProtocolVersion2Compatible ||
		n.PCur != memberlist.ProtocolVersion2Compatible:
		return fmt.Errorf("protocol version %d of %d to %d", n.PCur, n.PMin, n.PMax)
	case n.DMin != 0 || n.DCur != 0:
		return fmt.Errorf("delegate version %d of %d to %d", n.DCur, n.DMin, n.DMax)
	}
	return nil
}
