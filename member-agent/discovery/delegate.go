package discovery

import (
	"fmt"

	"github.com/hashicorp/memberlist"
)

// delegate implements memberlist.Delegate for the statements of a group.
type delegate struct{ group *group }

func (d delegate) NodeMeta(int) []byte { return nil }

// NotifyMsg accepts what was sent outside of an exchange.
func (d delegate) NotifyMsg(state []byte) { d.group.acceptAll(state) }

func (d delegate) GetBroadcasts(int, int) [][]byte { return nil }

func (d delegate) LocalState(bool) []byte { return d.group.localState() }

func (d delegate) MergeRemoteState(state []byte, _ bool) { d.group.acceptAll(state) }

// events implements memberlist.EventDelegate. memberlist holds its lock during the calls.
type events struct{ g *gossip }

func (e events) NotifyJoin(n *memberlist.Node) { e.setAlive(n.Name, true) }

func (e events) NotifyLeave(n *memberlist.Node) { e.setAlive(n.Name, false) }

func (e events) NotifyUpdate(*memberlist.Node) {}

func (e events) setAlive(member string, alive bool) {
	e.g.mu.Lock()
	if alive {
		e.g.alive[member] = true
	} else {
		delete(e.g.alive, member)
	}
	e.g.mu.Unlock()
	e.g.probe(member)
}

// aliveFilter implements memberlist.AliveDelegate. It rejects everything that an agent would not send about itself: names
// that are not in the plan, other addresses than the placeholder, and versions that would make all exchanges fail.
type aliveFilter struct{ group *group }

func (k aliveFilter) NotifyAlive(n *memberlist.Node) error {
	switch {
	case n.Name != k.group.self() && !k.group.has(n.Name):
		return fmt.Errorf("%.60q is not in the group, or its root is not known", n.Name)
	// Byte for byte: the same address in another form would conflict with the member's own messages.
	case string(n.Addr) != string(placeholderAddr) || int(n.Port) != placeholderPort:
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
