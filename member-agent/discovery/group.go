package discovery

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery/mux"
	"github.com/hanse-io/hanse/statement"
)

// maxMembers bounds a group; the API allows 64.
const maxMembers = 256

// peer is another member of a group.
type peer struct {
	name     string
	rootPEM  string
	roots    []*x509.Certificate // none as long as they are not known; shared with other groups
	online   bool
	lastSeen time.Time
}

func (p *peer) key() sessionKey { return sessionKey{p.name, p.rootPEM} }

// group is the state of one Consortium, whether gossip runs or not.
type group struct {
	d    *Discovery
	name string
	view atomic.Pointer[View]

	mu     sync.Mutex
	store  *store
	peers  map[string]*peer // without this agent's own member
	gossip *gossip          // nil while it does not run
}

func newGroup(d *Discovery, name string) *group {
	r := &group{d: d, name: name, store: newStore(name), peers: map[string]*peer{}}
	r.view.Store(&View{Consortium: name})
	return r
}

func (r *group) self() string { return r.d.opts.Member }

func (r *group) now() time.Time { return r.d.opts.Clock() }

// set sets the members of the group.
func (r *group) set(members []Peer) error {
	roots, err := r.d.roots.parseMembers(members)
	if err != nil {
		return err
	}
	pems := make(map[string]string, len(members))
	for _, m := range members {
		pems[m.Name] = m.RootPEM
	}
	r.mu.Lock()
	if maps.Equal(pems, r.store.roots) {
		r.mu.Unlock()
		return nil
	}
	added, removed := r.replace(pems, roots)
	r.reverify()
	g := r.gossip
	r.updateView()
	r.mu.Unlock()
	if g != nil {
		g.updateContacts(added, removed)
	}
	r.d.notifyChanged(r.name)
	return nil
}

// replace sets the members and returns those to contact, and those to disconnect before that. The lock is held.
func (r *group) replace(pems map[string]string, roots map[string][]*x509.Certificate) (added, removed []string) {
	for name, root := range pems {
		was, known := r.store.roots[name]
		if name == r.self() || (known && was == root) {
			continue
		}
		if was != "" {
			removed = append(removed, name)
		}
		// Under another root it is a different peer without history.
		r.peers[name] = &peer{name: name, rootPEM: root, roots: roots[name]}
		added = append(added, name)
	}
	for name := range r.peers {
		if _, ok := pems[name]; !ok {
			delete(r.peers, name)
			removed = append(removed, name)
		}
	}
	r.store.roots = pems
	return added, removed
}

// reverify drops the statements that are no longer valid: of removed members, or under another root. The lock is held.
func (r *group) reverify() {
	for key, e := range r.store.held {
		// A statement stays valid after its signer's certificate has expired.
		at := r.now()
		if at.After(e.expires) {
			at = e.expires
		}
		if statement.Verify(&e.signed, r.store.roots[key.Member], key.Member, r.name, at, statement.Content) != nil {
			delete(r.store.held, key)
		}
	}
	for key := range r.store.wanted {
		if _, isMember := r.store.roots[key.Member]; !isMember {
			delete(r.store.wanted, key)
		}
	}
}

// accept verifies a statement and, if it is new, stores and broadcasts it; one of a kind that is not held in memory is handed
// to the agent.
func (r *group) accept(s *v1alpha1.StatementSpec) error {
	r.mu.Lock()
	e, err := r.store.check(s, r.now())
	if err != nil || e == nil {
		r.mu.Unlock()
		if err != nil {
			r.d.metrics.rejected.WithLabelValues(reason(err)).Inc()
		}
		return err
	}
	key := statement.KeyOf(s)
	if !isHeld(s.Kind) {
		delete(r.store.wanted, key)
		r.mu.Unlock()
		if r.d.opts.Received != nil {
			r.d.opts.Received(r.name, e.signed)
		}
		return nil
	}
	r.store.held[key] = e
	g := r.gossip
	r.updateView()
	r.mu.Unlock()
	if g != nil {
		g.broadcast(key)
	}
	r.d.notifyChanged(r.name)
	return nil
}

// updateView builds a new View. The lock is held.
func (r *group) updateView() {
	v := &View{Consortium: r.name, Members: make([]Member, 0, len(r.store.roots))}
	online := 0
	for name := range r.store.roots {
		m := Member{Name: name}
		if p := r.peers[name]; p != nil {
			m.Online, m.LastSeen = p.online, p.lastSeen
		} else if name == r.self() {
			m.Online, m.LastSeen = true, r.now()
		}
		m.Record, m.Signed = r.store.record(name), r.store.signed(name)
		if m.Online {
			online++
		}
		v.Members = append(v.Members, m)
	}
	slices.SortFunc(v.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	r.view.Store(v)
	r.d.metrics.count(r.name, online, len(v.Members)-online)
}

func (r *group) setOnline(member string, online bool) {
	r.mu.Lock()
	p := r.peers[member]
	if p == nil || p.online == online {
		r.mu.Unlock()
		return
	}
	p.online = online
	r.updateView()
	r.mu.Unlock()
	r.d.notifyChanged(r.name)
}

// trustedPeers are the peers with known roots. Certificates are shared and never changed.
func (r *group) trustedPeers() []peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var known []peer
	for _, p := range r.peers {
		if len(p.roots) > 0 {
			known = append(known, peer{name: p.name, rootPEM: p.rootPEM, roots: p.roots})
		}
	}
	return known
}

func (r *group) rootsOf(member string) []*x509.Certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[member]; p != nil {
		return p.roots
	}
	return nil
}

// Methods of peerSet, which the transport calls.

func (r *group) has(member string) bool { return len(r.rootsOf(member)) > 0 }

func (r *group) dial(ctx context.Context, member string, k kind) (mux.Stream, error) {
	r.mu.Lock()
	p := r.peers[member]
	r.mu.Unlock()
	if p == nil || len(p.roots) == 0 {
		return nil, fmt.Errorf("%s is not in the group, or its root is not known", member)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return r.d.openStream(ctx, p, k, r.name)
}

// resetSilent closes the connection with a member on which nothing has come since some time. Other groups share it, whose
// data counts too.
func (r *group) resetSilent(member string, since time.Time) {
	r.mu.Lock()
	p := r.peers[member]
	r.mu.Unlock()
	if p != nil {
		r.d.sessions.resetSilent(p.key(), since)
	}
}

func (r *group) touch(member string) {
	r.mu.Lock()
	p := r.peers[member]
	if p == nil {
		r.mu.Unlock()
		return
	}
	p.lastSeen = r.now()
	g, offline := r.gossip, !p.online
	r.mu.Unlock()
	if offline && g != nil {
		g.probe(member)
	}
}

func (r *group) lastSeen(member string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[member]; p != nil {
		return p.lastSeen
	}
	return time.Time{}
}

func (r *group) bounds() bounds {
	r.mu.Lock()
	defer r.mu.Unlock()
	return boundsFor(len(r.store.roots))
}

// size is the number of members.
func (r *group) size() int { return len(r.view.Load().Members) }

// packetDropped probes a member that is online after a packet for it was dropped; a later contact exchanges everything.
func (r *group) packetDropped(member, reason string) {
	r.d.metrics.dropped.WithLabelValues(reason).Inc()
	r.mu.Lock()
	g, p := r.gossip, r.peers[member]
	online := p != nil && p.online
	r.mu.Unlock()
	if g == nil {
		return
	}
	if c := g.contact(member); c != nil && !c.dropped.Swap(true) && online {
		c.wake()
	}
}

func (r *group) protocolViolation(member string, why error) {
	r.d.metrics.dropped.WithLabelValues("refused").Inc()
	r.d.log.V(1).Info("packet rejected", "consortium", r.name, "member", member, "error", why.Error())
}
