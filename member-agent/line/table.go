package line

import (
	"cmp"
	"crypto/x509"
	"net/netip"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/line/health"
)

// table is what the router goes by: routes and the lines' states of one moment. It is immutable; a change makes a new
// one, and the data path loads it through an atomic pointer.
type table struct {
	routes Routes
	// ways are the lines to each member, best first.
	ways map[string][]way
	// pools hold each member's root alone, so that no member's root vouches for another member.
	pools map[string]*x509.CertPool
	// everybody holds all the roots.
	everybody *x509.CertPool
	// own are the cluster's own networks, where no line ends.
	own []netip.Prefix
	// ends are the lines' far ends that are given as IP addresses, and the member there; "" where several share one.
	ends map[netip.Addr]string
}

// way is a line with its state.
type way struct {
	Line
	health.Snapshot
}

// newTable compiles routes. Lines without a state are Unknown.
func newTable(r Routes, states map[string]health.Snapshot) *table {
	t := &table{routes: r, pools: map[string]*x509.CertPool{}, everybody: x509.NewCertPool(), ends: map[netip.Addr]string{}}
	for _, network := range r.Own {
		if p, err := ParseNetwork(network); err == nil {
			t.own = append(t.own, p)
		}
	}
	for _, l := range r.Lines {
		if ip, err := netip.ParseAddr(l.Address); err == nil {
			if m, shared := t.ends[ip.Unmap()]; shared && m != l.Member {
				l.Member = ""
			}
			t.ends[ip.Unmap()] = l.Member
		}
	}
	for member, root := range r.Roots {
		pool := x509.NewCertPool()
		if pool.AppendCertsFromPEM([]byte(root)) {
			t.everybody.AppendCertsFromPEM([]byte(root))
			t.pools[member] = pool
		}
	}
	return t.withStates(states)
}

// withStates is the same table with other states of the lines.
func (t *table) withStates(states map[string]health.Snapshot) *table {
	next := *t
	next.ways = map[string][]way{}
	for _, l := range t.routes.Lines {
		if l.Problem != "" {
			continue
		}
		s, ok := states[l.Name]
		if !ok {
			s = health.Snapshot{State: v1alpha1.LineUnknown, Reverse: v1alpha1.LineUnknown}
		}
		next.ways[l.Member] = append(next.ways[l.Member], way{l, s})
	}
	for _, ways := range next.ways {
		slices.SortFunc(ways, preferred)
	}
	return &next
}

// preferred orders lines: those that are up by priority, then round trip, then name; then those of which nothing is
// known; those that are down last.
func preferred(a, b way) int {
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

// candidates are the lines to try for a new connection to a member, in this order: every line that is up, then every one
// of which nothing is known. If all are down, the best of them is tried alone: the prober may be up to a second behind a
// line that has just come back, and a client is better served by a quick failure than by waiting for several dead lines.
func (t *table) candidates(member string) []way {
	ways := t.ways[member]
	for i, w := range ways {
		if w.State == v1alpha1.LineDown {
			return ways[:max(i, min(1, len(ways)))]
		}
	}
	return ways
}

// active is the line that carries new connections to a member, and false if none is up.
func (t *table) active(member string) (string, bool) {
	if ways := t.ways[member]; len(ways) > 0 && ways[0].State == v1alpha1.LineUp {
		return ways[0].Name, true
	}
	return "", false
}

// line finds a line by name.
func (t *table) line(name string) (way, bool) {
	for _, ways := range t.ways {
		for _, w := range ways {
			if w.Name == name {
				return w, true
			}
		}
	}
	return way{}, false
}
