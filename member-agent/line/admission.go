package line

import (
	"container/list"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Limits bound what strangers can make a listener hold. Zero values mean the defaults.
type Limits struct {
	// HalfOpen is the number of connections that have not said yet where they want to go.
	HalfOpen int
	// HalfOpenPerSource is the same from one source: an IPv4 address, or a /64 of IPv6.
	HalfOpenPerSource int
	// Connections is the number of connections that are passed on. Probes have room of their own.
	Connections int
	// ConnectionsPerSource is the same from one source, and half of it the number from one source to one server name.
	ConnectionsPerSource int
}

// check refuses limits that do not protect anybody.
func (l Limits) check() error {
	switch {
	case min(l.HalfOpen, l.HalfOpenPerSource, l.Connections, l.ConnectionsPerSource) < 1:
		return errors.New("the gateway's limits must be 1 at least, or 0 for the default")
	case l.ConnectionsPerSource > l.Connections/2:
		return fmt.Errorf("one source may have %d of %d connections, so that two can take the room of all others: give --max-connections-per-source half of --max-connections at most", l.ConnectionsPerSource, l.Connections)
	case l.HalfOpenPerSource > l.HalfOpen/2:
		return fmt.Errorf("one source may have %d of %d half-open connections, so that two can take the room of all others: give --max-half-open-per-source half of --max-half-open at most", l.HalfOpenPerSource, l.HalfOpen)
	}
	return nil
}

// admission keeps a listener's connections within Limits, so that no source takes the room of the others.
//
// A half-open connection beyond the limit is let in at the cost of the oldest one of the source that has the most: an
// honest client names its destination at once, so that the oldest is the likeliest to mean ill, whereas refusing the
// newest would let a flood lock everybody else out.
//
// A connection that has named its destination is passed on while its source is within its own limit. The last quarter of
// the listener's connections is shared out equally among the sources that are there, so that a few sources that hold as
// many as they may leave room for another one. When even that is used up, by many sources, a member whose gateway has
// proven itself from that source, by a probe that still goes on, has a few connections for certain. An established
// connection is never given up for a new one.
type admission struct {
	limits Limits

	mu      sync.Mutex
	sources map[netip.Addr]*source
	waiting queues // sources by how many half-open connections they have
	open    int    // connections that are passed on
	holders int    // sources that have such
	// proven are the probes that go on, by source and member.
	proven map[netip.Addr]map[string]int
	// assured are the connections that only the proof has let in, by member.
	assured map[string]int
}

// assuredShare of the listener's limit is what each proven member has for certain.
const assuredShare = 64

type source struct {
	from    netip.Addr
	waiting *list.List    // of *visit, oldest first
	place   *list.Element // in admission.waiting; nil if no visit waits
	open    int
	names   map[string]int // open connections by server name
}

// visit is one connection's stay.
type visit struct {
	conn    net.Conn
	from    netip.Addr
	half    *list.Element // in source.waiting; nil once the connection is passed on, proven or evicted
	evicted bool
	name    string // that it is passed on to
	taken   bool
	assured string // member whose assured share it belongs to

	head []byte  // what was read of the connection already
	buf  *[]byte // that head lies in, from the pool
}

// forget gives back the room of what was read, once it was passed on.
func (v *visit) forget() {
	if v.buf != nil {
		heads.Put(v.buf)
		v.head, v.buf = nil, nil
	}
}

func newAdmission(l Limits) *admission {
	return &admission{
		limits: l, sources: map[netip.Addr]*source{}, proven: map[netip.Addr]map[string]int{}, assured: map[string]int{},
	}
}

// enter admits a connection as half-open. Connections that had to give way are closed.
func (a *admission) enter(conn net.Conn) *visit {
	v := &visit{conn: conn, from: sourceOf(conn)}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sources[v.from]
	if s == nil {
		s = &source{from: v.from, waiting: list.New()}
		a.sources[v.from] = s
	}
	if s.waiting.Len() >= a.limits.HalfOpenPerSource {
		a.evict(s)
	} else if a.waiting.visits >= a.limits.HalfOpen {
		a.evict(a.waiting.longest())
	}
	a.sources[v.from] = s // its last visit may have been the one that was evicted
	v.half = s.waiting.PushBack(v)
	a.waiting.update(s, 1)
	return v
}

// take lets a connection be passed on to a server name. Otherwise it is closed by the caller: it had to give way before,
// or a limit is reached.
func (a *admission) take(v *visit, name string) (ok, full bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v.evicted {
		return false, false
	}
	a.settle(v)
	s := a.sources[v.from]
	if s == nil { // the visit was all that there was of it
		s = &source{from: v.from, waiting: list.New()}
		a.sources[v.from] = s
	}
	if !a.room(s, v, name) {
		a.tidy(s)
		return false, true
	}
	if s.open == 0 {
		a.holders++
	}
	a.open++
	s.open++
	if s.names == nil {
		s.names = map[string]int{}
	}
	s.names[name]++
	v.name, v.taken = name, true
	return true, false
}

// room decides whether a source may have one more connection passed on.
func (a *admission) room(s *source, v *visit, name string) bool {
	l := a.limits
	if s.open >= l.ConnectionsPerSource || s.names[name] >= max(1, l.ConnectionsPerSource/2) {
		return false
	}
	reserve := l.Connections / 4
	if a.open < l.Connections-reserve {
		return true
	}
	holders := a.holders
	if s.open == 0 {
		holders++
	}
	if a.open < l.Connections && s.open < max(1, reserve/holders) {
		return true
	}
	member := a.memberAt(s.from)
	if member == "" || a.assured[member] >= max(1, l.Connections/assuredShare) {
		return false
	}
	a.assured[member]++
	v.assured = member
	return true
}

// prove ends the half-open stage of a probe: the source is a member's from now on. It reports false if the connection had
// to give way before.
func (a *admission) prove(v *visit, member string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v.evicted {
		return false
	}
	a.settle(v)
	if a.proven[v.from] == nil {
		a.proven[v.from] = map[string]int{}
	}
	a.proven[v.from][member]++
	return true
}

// unprove ends what prove began.
func (a *admission) unprove(v *visit, member string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.proven[v.from][member]--; a.proven[v.from][member] == 0 {
		if delete(a.proven[v.from], member); len(a.proven[v.from]) == 0 {
			delete(a.proven, v.from)
		}
	}
}

// member is whose gateway has proven itself from the source of a connection; empty if none has, or several.
func (a *admission) member(v *visit) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.memberAt(v.from)
}

func (a *admission) memberAt(from netip.Addr) string {
	if members := a.proven[from]; len(members) == 1 {
		for m := range members {
			return m
		}
	}
	return ""
}

// shared is how many sources several members have proven themselves from: their lines cannot be told apart.
func (a *admission) shared() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, members := range a.proven {
		if len(members) > 1 {
			n++
		}
	}
	return n
}

// leave ends the stay and reports whether the connection had to give way.
func (a *admission) leave(v *visit) (evicted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(v)
	if v.taken {
		v.taken = false
		s := a.sources[v.from]
		a.open--
		if s.open--; s.open == 0 {
			a.holders--
		}
		if s.names[v.name]--; s.names[v.name] == 0 {
			delete(s.names, v.name)
		}
		if v.assured != "" {
			if a.assured[v.assured]--; a.assured[v.assured] == 0 {
				delete(a.assured, v.assured)
			}
		}
		a.tidy(s)
	}
	return v.evicted
}

// evict closes the oldest half-open connection of a source.
func (a *admission) evict(s *source) {
	v := s.waiting.Front().Value.(*visit)
	a.settle(v)
	v.evicted = true
	v.conn.Close()
}

// settle ends the half-open stage, if it has not ended yet.
func (a *admission) settle(v *visit) {
	if v.half == nil {
		return
	}
	s := a.sources[v.from]
	s.waiting.Remove(v.half)
	v.half = nil
	a.waiting.update(s, -1)
	a.tidy(s)
}

func (a *admission) tidy(s *source) {
	if s.open == 0 && s.waiting.Len() == 0 {
		delete(a.sources, s.from)
	}
}

// dismiss closes all half-open connections.
func (a *admission) dismiss() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.waiting.visits > 0 {
		a.evict(a.waiting.longest())
	}
}

// counts are the connections that are passed on and the half-open ones.
func (a *admission) counts() (open, halfOpen int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open, a.waiting.visits
}

// sourceOf is what counts as one source. Who has an IPv6 address has all of its /64.
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
