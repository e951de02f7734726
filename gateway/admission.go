package gateway

import (
	"container/list"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Limits bound the connections of a listener. Zero values mean the defaults.
type Limits struct {
	// HalfOpen is the number of connections without an SNI yet.
	HalfOpen int
	// HalfOpenPerSource is the same from one source: an IPv4 address, or a /64 of IPv6.
	HalfOpenPerSource int
	// Connections is the number of forwarded connections. Probes are not counted.
	Connections int
	// ConnectionsPerSource is the same from one source, and half of it the number from one source to one server name.
	ConnectionsPerSource int
}

// check rejects limits that protect nobody.
func (l Limits) check() error {
	switch {
	case min(l.HalfOpen, l.HalfOpenPerSource, l.Connections, l.ConnectionsPerSource) < 1:
		return errors.New("the gateway's limits must be 1 at least, or 0 for the default")
	case l.ConnectionsPerSource > l.Connections/2:
		return fmt.Errorf("one source may have %d of %d connections, so that two can exhaust the limit: give --max-connections-per-source half of --max-connections at most", l.ConnectionsPerSource, l.Connections)
	case l.HalfOpenPerSource > l.HalfOpen/2:
		return fmt.Errorf("one source may have %d of %d half-open connections, so that two can exhaust the limit: give --max-half-open-per-source half of --max-half-open at most", l.HalfOpenPerSource, l.HalfOpen)
	}
	return nil
}

// admission keeps a listener's connections within Limits, so that no source exhausts them.
//
// A half-open connection beyond the limit evicts the oldest one of the source that has the most: an honest client sends
// its ClientHello at once, so that the oldest is most likely hostile, whereas rejecting the newest would let a flood
// lock out everybody else.
//
// A connection with an SNI is forwarded while its source is within its own limit. The last quarter of the listener's
// connections is divided equally among the current sources, so that a few sources at their limit leave capacity for
// another one. If many sources have exhausted that too, a member whose gateway is authenticated at that source, by a
// running probe, has a few reserved connections. An established connection is never closed for a new one.
type admission struct {
	limits Limits

	mu          sync.Mutex
	sources     map[netip.Addr]*source
	halfOpen    halfOpenQueues // sources by how many half-open connections they have
	openCount   int            // connections that are passed on
	openSources int            // sources that have such
	// authenticated are the running probes, by source and member.
	authenticated map[netip.Addr]map[string]int
	// reserved are the open connections of the members' reserved shares, by member.
	reserved map[string]int
}

// reservedShare of the listener's limit is reserved for each authenticated member.
const reservedShare = 64

type source struct {
	from      netip.Addr
	halfOpen  *list.List    // of *visit, oldest first
	place     *list.Element // in admission.waiting; nil if no visit waits
	openCount int
	names     map[string]int // open connections by server name
}

// pendingConn is one connection's stay.
type pendingConn struct {
	conn        net.Conn
	from        netip.Addr
	half        *list.Element // in source.waiting; nil once the connection is passed on, proven or evicted
	evicted     bool
	name        string // that it is passed on to
	open        bool
	reservedFor string // member whose assured share it belongs to

	head []byte  // what was read of the connection already
	buf  *[]byte // that head lies in, from the pool
}

// releaseBuffer returns the buffer to the pool once its content was forwarded.
func (v *pendingConn) releaseBuffer() {
	if v.buf != nil {
		headPool.Put(v.buf)
		v.head, v.buf = nil, nil
	}
}

func newAdmission(l Limits) *admission {
	return &admission{
		limits: l, sources: map[netip.Addr]*source{}, authenticated: map[netip.Addr]map[string]int{}, reserved: map[string]int{},
	}
}

// add adds a half-open connection. Evicted connections are closed.
func (a *admission) add(conn net.Conn) *pendingConn {
	v := &pendingConn{conn: conn, from: sourceOf(conn)}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sources[v.from]
	if s == nil {
		s = &source{from: v.from, halfOpen: list.New()}
		a.sources[v.from] = s
	}
	if s.halfOpen.Len() >= a.limits.HalfOpenPerSource {
		a.evict(s)
	} else if a.halfOpen.total >= a.limits.HalfOpen {
		a.evict(a.halfOpen.longest())
	}
	a.sources[v.from] = s // its last connection may have been the evicted one
	v.half = s.halfOpen.PushBack(v)
	a.halfOpen.update(s, 1)
	return v
}

// open admits a connection to a server name. Otherwise the caller closes it: it has been evicted, or a limit is reached.
func (a *admission) open(v *pendingConn, name string) (ok, full bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v.evicted {
		return false, false
	}
	a.endHalfOpen(v)
	s := a.sources[v.from]
	if s == nil { // this was its only connection
		s = &source{from: v.from, halfOpen: list.New()}
		a.sources[v.from] = s
	}
	if !a.hasCapacity(s, v, name) {
		a.removeIfIdle(s)
		return false, true
	}
	if s.openCount == 0 {
		a.openSources++
	}
	a.openCount++
	s.openCount++
	if s.names == nil {
		s.names = map[string]int{}
	}
	s.names[name]++
	v.name, v.open = name, true
	return true, false
}

// hasCapacity decides whether a source may have one more forwarded connection.
func (a *admission) hasCapacity(s *source, v *pendingConn, name string) bool {
	l := a.limits
	if s.openCount >= l.ConnectionsPerSource || s.names[name] >= max(1, l.ConnectionsPerSource/2) {
		return false
	}
	reserve := l.Connections / 4
	if a.openCount < l.Connections-reserve {
		return true
	}
	holders := a.openSources
	if s.openCount == 0 {
		holders++
	}
	if a.openCount < l.Connections && s.openCount < max(1, reserve/holders) {
		return true
	}
	member := a.memberAt(s.from)
	if member == "" || a.reserved[member] >= max(1, l.Connections/reservedShare) {
		return false
	}
	a.reserved[member]++
	v.reservedFor = member
	return true
}

// authenticate ends the half-open stage of a probe: the source is a member's from now on. It reports false if the connection had
// to give way before.
func (a *admission) authenticate(v *pendingConn, member string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v.evicted {
		return false
	}
	a.endHalfOpen(v)
	if a.authenticated[v.from] == nil {
		a.authenticated[v.from] = map[string]int{}
	}
	a.authenticated[v.from][member]++
	return true
}

// deauthenticate reverts authenticate.
func (a *admission) deauthenticate(v *pendingConn, member string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.authenticated[v.from][member]--; a.authenticated[v.from][member] == 0 {
		if delete(a.authenticated[v.from], member); len(a.authenticated[v.from]) == 0 {
			delete(a.authenticated, v.from)
		}
	}
}

// member is the member whose gateway is authenticated at the source of a connection; empty if there is none, or several.
func (a *admission) member(v *pendingConn) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.memberAt(v.from)
}

func (a *admission) memberAt(from netip.Addr) string {
	if members := a.authenticated[from]; len(members) == 1 {
		for m := range members {
			return m
		}
	}
	return ""
}

// shared is the number of sources at which several members are authenticated: their lines cannot be distinguished.
func (a *admission) shared() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, members := range a.authenticated {
		if len(members) > 1 {
			n++
		}
	}
	return n
}

// remove removes a connection and reports whether it has been evicted.
func (a *admission) remove(v *pendingConn) (evicted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endHalfOpen(v)
	if v.open {
		v.open = false
		s := a.sources[v.from]
		a.openCount--
		if s.openCount--; s.openCount == 0 {
			a.openSources--
		}
		if s.names[v.name]--; s.names[v.name] == 0 {
			delete(s.names, v.name)
		}
		if v.reservedFor != "" {
			if a.reserved[v.reservedFor]--; a.reserved[v.reservedFor] == 0 {
				delete(a.reserved, v.reservedFor)
			}
		}
		a.removeIfIdle(s)
	}
	return v.evicted
}

// evict closes the oldest half-open connection of a source.
func (a *admission) evict(s *source) {
	v := s.halfOpen.Front().Value.(*pendingConn)
	a.endHalfOpen(v)
	v.evicted = true
	v.conn.Close()
}

// endHalfOpen ends the half-open stage, if it has not ended yet.
func (a *admission) endHalfOpen(v *pendingConn) {
	if v.half == nil {
		return
	}
	s := a.sources[v.from]
	s.halfOpen.Remove(v.half)
	v.half = nil
	a.halfOpen.update(s, -1)
	a.removeIfIdle(s)
}

func (a *admission) removeIfIdle(s *source) {
	if s.openCount == 0 && s.halfOpen.Len() == 0 {
		delete(a.sources, s.from)
	}
}

// closePending closes all half-open connections.
func (a *admission) closePending() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.halfOpen.total > 0 {
		a.evict(a.halfOpen.longest())
	}
}

// counts are the forwarded connections and the half-open ones.
func (a *admission) counts() (open, halfOpen int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.openCount, a.halfOpen.total
}

// sourceOf is the source of a connection: its IPv4 address, or the /64 of its IPv6 address.
func sourceOf(conn net.Conn) netip.Addr {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	from := tcp.AddrPort().Addr().Unmap().WithZone("")
	if from.Is6() {
		return netip.PrefixFrom(from, 64).Masked().Addr()
	}
	return from
}
