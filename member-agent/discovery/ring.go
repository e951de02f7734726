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

// maxMembers bounds a ring; the API allows 64.
const maxMembers = 256

// peer is another member of a ring.
type peer struct {
	name   string
	roots  []*x509.Certificate // none as long as they are not known
	online bool
	seen   time.Time
}

// ring is what is known of one Consortium, whether gossip runs or not.
type ring struct {
	d    *Discovery
	name string
	view atomic.Pointer[View]

	mu     sync.Mutex
	book   *book
	peers  map[string]*peer // without this agent's own member
	gossip *gossip          // nil while it does not run
}

func newRing(d *Discovery, name string) *ring {
	r := &ring{d: d, name: name, book: newBook(name), peers: map[string]*peer{}}
	r.view.Store(&View{Consortium: name})
	return r
}

func (r *ring) self() string { return r.d.opts.Member }

func (r *ring) now() time.Time { return r.d.opts.Clock() }

// set takes over who is in the ring.
func (r *ring) set(members []Peer) error {
	roots, err := parseMembers(members)
	if err != nil {
		return err
	}
	pems := make(map[string]string, len(members))
	for _, m := range members {
		pems[m.Name] = m.RootPEM
	}
	r.mu.Lock()
	if maps.Equal(pems, r.book.roots) {
		r.mu.Unlock()
		return nil
	}
	fresh, gone := r.replace(pems, roots)
	r.recheck()
	g := r.gossip
	r.publish()
	r.mu.Unlock()
	if g != nil {
		g.follow(fresh, gone)
	}
	r.d.changed(r.name)
	return nil
}

// replace takes over the members, and tells whom to make contact with and whom to let go first. The lock is held.
func (r *ring) replace(pems map[string]string, roots map[string][]*x509.Certificate) (fresh, gone []string) {
	for name, root := range pems {
		was, known := r.book.roots[name]
		if name == r.self() || (known && was == root) {
			continue
		}
		if was != "" {
			gone = append(gone, name)
		}
		// Under another root it is somebody else, of whom nothing has been seen.
		r.peers[name] = &peer{name: name, roots: roots[name]}
		fresh = append(fresh, name)
	}
	for name := range r.peers {
		if _, ok := pems[name]; !ok {
			delete(r.peers, name)
			gone = append(gone, name)
		}
	}
	r.book.roots = pems
	return fresh, gone
}

func parseMembers(members []Peer) (map[string][]*x509.Certificate, error) {
	if len(members) > maxMembers {
		return nil, fmt.Errorf("%d members, where %d are the most", len(members), maxMembers)
	}
	roots := make(map[string][]*x509.Certificate, len(members))
	for _, m := range members {
		if _, twice := roots[m.Name]; twice || m.Name == "" {
			return nil, fmt.Errorf("member %q is unnamed or there twice", m.Name)
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

// recheck drops the records that do not hold any more: of members that are gone, or under another root. The lock is held.
func (r *ring) recheck() {
	for name, e := range r.book.entries {
		// That the signer has expired since is no reason to forget what it said.
		at := r.now()
		if at.After(e.expires) {
			at = e.expires
		}
		if _, err := signature.Verify(&e.signed, r.book.roots[name], name, r.name, at); err != nil {
			delete(r.book.entries, name)
		}
	}
}

// take checks a record and, if it is new, keeps it and passes it on.
func (r *ring) take(env *v1alpha1.SignedRecord) error {
	r.mu.Lock()
	e, err := r.book.check(env, r.now())
	if err != nil || e == nil {
		r.mu.Unlock()
		if err != nil {
			r.d.metrics.rejected.WithLabelValues(reason(err)).Inc()
		}
		return err
	}
	r.book.entries[e.record.Member] = e
	g := r.gossip
	r.publish()
	r.mu.Unlock()
	if g != nil {
		g.spread(e.record.Member)
	}
	r.d.changed(r.name)
	return nil
}

// takeAll takes what another agent has told.
func (r *ring) takeAll(state []byte) {
	records, err := parseState(state, r.size())
	if err != nil {
		r.d.metrics.rejected.WithLabelValues(reason(err)).Inc()
	}
	for i := range records {
		if err := r.take(&records[i]); err != nil && !errors.Is(err, errStale) {
			r.d.log.V(1).Info("record rejected", "consortium", r.name, "error", err.Error())
		}
	}
}

// publish makes a new View. The lock is held.
func (r *ring) publish() {
	v := &View{Consortium: r.name, Members: make([]Member, 0, len(r.book.roots))}
	online := 0
	for name := range r.book.roots {
		m := Member{Name: name}
		if p := r.peers[name]; p != nil {
			m.Online, m.LastSeen = p.online, p.seen
		} else if name == r.self() {
			m.Online, m.LastSeen = true, r.now()
		}
		if e := r.book.entries[name]; e != nil {
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

func (r *ring) setOnline(member string, online bool) {
	r.mu.Lock()
	p := r.peers[member]
	if p == nil || p.online == online {
		r.mu.Unlock()
		return
	}
	p.online = online
	r.publish()
	r.mu.Unlock()
	r.d.changed(r.name)
}

// trusted are the peers that can be told from others by now. Certificates are shared and never changed.
func (r *ring) trusted() []peer {
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

func (r *ring) rootsOf(member string) []*x509.Certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[member]; p != nil {
		return p.roots
	}
	return nil
}

// What a transport asks of its ring.

func (r *ring) has(member string) bool { return len(r.rootsOf(member)) > 0 }

func (r *ring) dial(ctx context.Context, member string, k kind) (net.Conn, error) {
	roots := r.rootsOf(member)
	if len(roots) == 0 {
		return nil, fmt.Errorf("%s is not in the ring, or its root is not known", member)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.d.call(ctx, clientConfig(member, roots, r.d.opts.Certificate), k, r.name)
}

func (r *ring) heard(member string) {
	r.mu.Lock()
	p := r.peers[member]
	if p == nil {
		r.mu.Unlock()
		return
	}
	p.seen = r.now()
	g, lost := r.gossip, !p.online
	r.mu.Unlock()
	if lost && g != nil {
		g.look(member)
	}
}

func (r *ring) lastHeard(member string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[member]; p != nil {
		return p.seen
	}
	return time.Time{}
}

func (r *ring) bounds() bounds {
	r.mu.Lock()
	defer r.mu.Unlock()
	return boundsFor(len(r.book.roots))
}

// size is the number of members, and of records that one exchange can hold.
func (r *ring) size() int { return len(r.view.Load().Members) }

// lost has what was dropped made up for at once if there is contact. If there is none, making contact will do.
func (r *ring) lost(member, reason string) {
	r.d.metrics.dropped.WithLabelValues(reason).Inc()
	r.mu.Lock()
	g, p := r.gossip, r.peers[member]
	online := p != nil && p.online
	r.mu.Unlock()
	if g == nil {
		return
	}
	if c := g.contact(member); c != nil && !c.missed.Swap(true) && online {
		c.wake()
	}
}

func (r *ring) refused(member string, why error) {
	r.d.metrics.dropped.WithLabelValues("refused").Inc()
	r.d.log.V(1).Info("packet refused", "consortium", r.name, "member", member, "error", why.Error())
}
