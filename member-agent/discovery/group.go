package discovery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/signature"
)

// maxMembers bounds a group; the API allows 64.
const maxMembers = 256

// peer is another member of a group.
type peer struct {
	name     string
	roots    []*x509.Certificate // none as long as they are not known
	online   bool
	lastSeen time.Time
}

// group is the state of one Consortium, whether gossip runs or not.
type group struct {
	d    *Discovery
	name string
	view atomic.Pointer[View]

	mu     sync.Mutex
	store  *recordStore
	peers  map[string]*peer // without this agent's own member
	gossip *gossip          // nil while it does not run
}

func newGroup(d *Discovery, name string) *group {
	r := &group{d: d, name: name, store: newRecordStore(name), peers: map[string]*peer{}}
	r.view.Store(&View{Consortium: name})
	return r
}

func (r *group) self() string { return r.d.opts.Member }

func (r *group) now() time.Time { return r.d.opts.Clock() }

// set sets the members of the group.
func (r *group) set(members []Peer) error {
	roots, err := parseMembers(members)
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
		r.peers[name] = &peer{name: name, roots: roots[name]}
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

func parseMembers(members []Peer) (map[string][]*x509.Certificate, error) {
	if len(members) > maxMembers {
		return nil, fmt.Errorf("%d members; the maximum is %d", len(members), maxMembers)
	}
	roots := make(map[string][]*x509.Certificate, len(members))
	for _, m := range members {
		if _, twice := roots[m.Name]; twice || m.Name == "" {
			return nil, fmt.Errorf("member %q is empty or a duplicate", m.Name)
		}
		roots[m.Name] = nil
		if m.RootPEM == "" {
			continue
		}
		certs, err := signature.ParseRoot(m.RootPEM)
		if err != nil {
			return nil, fmt.Errorf("root of %s: %w", m.Name, err)
		}
		roots[m.Name] = certs
	}
	return roots, nil
}

// reverify drops the records that are no longer valid: of removed members, or under another root. The lock is held.
func (r *group) reverify() {
	for name, e := range r.store.records {
		// A record stays valid after its signer's certificate has expired.
		at := r.now()
		if at.After(e.expires) {
			at = e.expires
		}
		if _, err := signature.Verify(&e.signed, r.store.roots[name], name, r.name, at); err != nil {
			delete(r.store.records, name)
		}
	}
}

// accept verifies a record and, if it is new, stores and broadcasts it.
func (r *group) accept(env *v1alpha1.SignedRecord) error {
	r.mu.Lock()
	e, err := r.store.check(env, r.now())
	if err != nil || e == nil {
		r.mu.Unlock()
		if err != nil {
			r.d.metrics.rejected.WithLabelValues(reason(err)).Inc()
		}
		return err
	}
	r.store.records[e.record.Member] = e
	g := r.gossip
	r.updateView()
	r.mu.Unlock()
	if g != nil {
		g.broadcast(e.record.Member)
	}
	r.d.notifyChanged(r.name)
	return nil
}

// acceptAll accepts the records of another agent's state.
func (r *group) acceptAll(state []byte) {
	records, err := parseState(state, r.size())
	if err != nil {
		r.d.metrics.rejected.WithLabelValues(reason(err)).Inc()
	}
	for i := range records {
		if err := r.accept(&records[i]); err != nil && !errors.Is(err, errStale) {
			r.d.log.V(1).Info("record rejected", "consortium", r.name, "error", err.Error())
		}
	}
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
		if e := r.store.records[name]; e != nil {
			m.Record, m.Signed = &e.record, &e.signed
		}
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
			known = append(known, peer{name: p.name, roots: p.roots})
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

func (r *group) dial(ctx context.Context, member string, k kind) (net.Conn, error) {
	roots := r.rootsOf(member)
	if len(roots) == 0 {
		return nil, fmt.Errorf("%s is not in the group, or its root is not known", member)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return r.d.dialGroup(ctx, clientConfig(member, roots, r.d.opts.Certificate), k, r.name)
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

// size is the number of members, and of records that one exchange can hold.
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
