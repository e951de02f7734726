package line

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// Limits bound what strangers can make a listener hold. Zero values mean the defaults.
type Limits struct {
	// HalfOpen is the number of connections that have not said yet where they want to go.
	HalfOpen int
	// HalfOpenPerSource is the same from one IP address.
	HalfOpenPerSource int
	// Connections is the number of connections altogether.
	Connections int
	// ConnectionsPerSource is the same from one IP address.
	ConnectionsPerSource int
}

// admission keeps a listener's connections within Limits. A half-open connection beyond the limit is let in at the cost
// of the oldest half-open one, of the same source if it is that source's limit: an honest client names its destination
// at once, so that the oldest is the likeliest to mean ill, whereas refusing the newest would let a flood lock
// everybody else out. An established connection is never given up for a new one.
type admission struct {
	limits Limits

	mu      sync.Mutex
	waiting *list.List // of *visit, oldest first
	sources map[netip.Addr]*source
	open    int
}

type source struct {
	waiting *list.List // of *visit, oldest first
	open    int
}

// visit is one connection's stay.
type visit struct {
	conn    net.Conn
	from    netip.Addr
	all     *list.Element // in admission.waiting; nil once established or evicted
	own     *list.Element // in source.waiting
	evicted bool

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
	return &admission{limits: l, waiting: list.New(), sources: map[netip.Addr]*source{}}
}

// enter admits a connection as half-open, or returns nil if there are too many connections. Connections that had to give
// way are closed.
func (a *admission) enter(conn net.Conn) *visit {
	v := &visit{conn: conn, from: sourceOf(conn)}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sources[v.from]
	if s == nil {
		s = &source{waiting: list.New()}
	}
	if s.waiting.Len() >= a.limits.HalfOpenPerSource {
		a.evict(s.waiting.Front())
	} else if a.waiting.Len() >= a.limits.HalfOpen {
		a.evict(a.waiting.Front())
	}
	if a.open >= a.limits.Connections || s.open >= a.limits.ConnectionsPerSource {
		return nil
	}
	a.sources[v.from] = s
	a.open++
	s.open++
	v.all, v.own = a.waiting.PushBack(v), s.waiting.PushBack(v)
	return v
}

// establish ends the half-open stage. It reports false if the connection had to give way before.
func (a *admission) establish(v *visit) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v.evicted {
		return false
	}
	a.settle(v)
	return true
}

// leave ends the stay and reports whether the connection had to give way.
func (a *admission) leave(v *visit) (evicted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !v.evicted {
		a.settle(v)
		a.remove(v)
	}
	return v.evicted
}

func (a *admission) evict(e *list.Element) {
	v := e.Value.(*visit)
	a.settle(v)
	a.remove(v)
	v.evicted = true
	v.conn.Close()
}

func (a *admission) settle(v *visit) {
	if v.all != nil {
		a.waiting.Remove(v.all)
		a.sources[v.from].waiting.Remove(v.own)
		v.all, v.own = nil, nil
	}
}

func (a *admission) remove(v *visit) {
	s := a.sources[v.from]
	a.open--
	if s.open--; s.open == 0 {
		delete(a.sources, v.from)
	}
}

// dismiss closes all half-open connections.
func (a *admission) dismiss() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for e := a.waiting.Front(); e != nil; e = a.waiting.Front() {
		a.evict(e)
	}
}

// counts are the connections altogether and the half-open ones.
func (a *admission) counts() (open, halfOpen int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open, a.waiting.Len()
}

func sourceOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
