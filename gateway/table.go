package gateway

import (
	"cmp"
	"crypto/x509"
	"net/netip"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/internal/routing"
)

// table is the routing table: routes and line states. It is immutable; a change creates a new one, and the data path
// loads it through an atomic pointer.
type table struct {
	routes routing.Routes
	// links are the lines to each member, best first.
	links map[string][]linkState
	// pools hold each member's root alone, so that no member's root is trusted for another member.
	pools map[string]*x509.CertPool
	// allRoots holds all the roots.
	allRoots *x509.CertPool
	// own are the cluster's own networks, which are not dialed.
	own []netip.Prefix
	// farEnds are the lines' far ends that are given as IP addresses, and the member there; "" where several share one.
	farEnds map[netip.Addr]string
}

// linkState is a line with its health.
type linkState struct {
	routing.Line
	health.Snapshot
}

// newTable compiles routes. Lines without a state are Unknown.
func newTable(r routing.Routes, states map[string]health.Snapshot) *table {
	t := &table{routes: r, pools: map[string]*x509.CertPool{}, allRoots: x509.NewCertPool(), farEnds: map[netip.Addr]string{}}
	for _, network := range r.Own {
		if p, err := ParseNetwork(network); err == nil {
			t.own = append(t.own, p)
		}
	}
	for _, l := range r.Lines {
		if ip, err := netip.ParseAddr(l.Address); err == nil {
			if m, shared := t.farEnds[ip.Unmap()]; shared && m != l.Member {
				l.Member = ""
			}
			t.farEnds[ip.Unmap()] = l.Member
		}
	}
	for member, root := range r.Roots {
		pool := x509.NewCertPool()
		if pool.AppendCertsFromPEM([]byte(root)) {
			t.allRoots.AppendCertsFromPEM([]byte(root))
			t.pools[member] = pool
		}
	}
	return t.withStates(states)
}

// withStates is the same table with other states of the lines.
func (t *table) withStates(states map[string]health.Snapshot) *table {
	next := *t
	next.links = map[string][]linkState{}
	for _, l := range t.routes.Lines {
		if l.Problem != "" {
			continue
		}
		s, ok := states[l.Name]
		if !ok {
			s = health.Snapshot{State: v1alpha1.LineUnknown, Reverse: v1alpha1.LineUnknown}
		}
		next.links[l.Member] = append(next.links[l.Member], linkState{l, s})
	}
	for _, links := range next.links {
		slices.SortFunc(links, compareLinks)
	}
	return &next
}

// compareLinks orders lines by state (up, unknown, down), then priority, then round trip, then name.
func compareLinks(a, b linkState) int {
	return cmp.Or(
		cmp.Compare(rank(a.State), rank(b.State)),
		cmp.Compare(a.Priority, b.Priority),
		cmp.Compare(a.RTT, b.RTT),
		cmp.Compare(a.Name, b.Name),
	)
}

func rank(s v1alpha1.LineState) int {
	switch s {
	case v1alpha1.LineUp:
		return 0
	case v1alpha1.LineDown:
		return 2
	}
	return 1
}

// candidates are the lines to dial for a new connection to a member, in order: every line that is up, then every one in
// an unknown state. If all are down, only the best is tried: the prober may be up to a second behind a line that has just
// recovered, and a client is better served by a quick failure than by several dial timeouts.
func (t *table) candidates(member string) []linkState {
	links := t.links[member]
	for i, w := range links {
		if w.State == v1alpha1.LineDown {
			return links[:max(i, min(1, len(links)))]
		}
	}
	return links
}

// active is the line that carries new connections to a member, and false if none is up.
func (t *table) active(member string) (string, bool) {
	if links := t.links[member]; len(links) > 0 && links[0].State == v1alpha1.LineUp {
		return links[0].Name, true
	}
	return "", false
}

// line finds a line by name.
func (t *table) line(name string) (linkState, bool) {
	for _, links := range t.links {
		for _, w := range links {
			if w.Name == name {
				return w, true
			}
		}
	}
	return linkState{}, false
}
