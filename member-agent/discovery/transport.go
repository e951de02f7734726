package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// Every agent has the same address in memberlist: one from the block for documentation, which leads nowhere. Names are
// what counts, and the gateways know the way.
var (
	nowhere     = net.IPv4(192, 0, 2, 1).To4()
	nowherePort = 7946
)

const (
	// queueLength is the number of packets that wait for one member. What is more is dropped, as UDP would.
	queueLength = 256
	// writeTimeout is how long a packet may take to be written; idleTimeout how long a member may be silent on a
	// packet connection before it is closed, and opened again when there is something to say.
	writeTimeout = 5 * time.Second
	idleTimeout  = 5 * time.Minute
	// redialPause is how long packets for a member are dropped after it could not be reached.
	redialPause = 500 * time.Millisecond
)

var errClosed = errors.New("the ring is closed")

// neighbours is what a transport has to know of its ring.
type neighbours interface {
	// dial opens an authenticated connection to a member, let in by the other side.
	dial(ctx context.Context, member string, k kind) (net.Conn, error)
	// has is whether the member is in the ring, and its root known.
	has(member string) bool
	// heard is called whenever something authentic has come from a member.
	heard(member string)
	// bounds are those of one exchange.
	bounds() bounds
	// lost is called when a packet for a member was dropped.
	lost(member, reason string)
	// refused is called when a member has broken the rules.
	refused(member string, why error)
}

// transport is memberlist's network for one ring: packets and streams to names, over mutual TLS.
type transport struct {
	ring    neighbours
	packets chan *memberlist.Packet
	streams chan net.Conn
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	senders map[string]*sender
	callers map[string]*admissions
	open    map[net.Conn]string // by member
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

func newTransport(ring neighbours) *transport {
	t := &transport{
		ring: ring, packets: make(chan *memberlist.Packet), streams: make(chan net.Conn),
		senders: map[string]*sender{}, callers: map[string]*admissions{}, open: map[net.Conn]string{},
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return nowhere, nowherePort, nil
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

func (t *transport) WriteTo(p []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(p, memberlist.Address{Addr: addr})
}

func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// WriteToAddress never waits, and never fails for a member of the ring: memberlist expects to hear nothing of packets
// that are lost. For others it fails in the one way that makes memberlist suspect them, and forget them in the end.
func (t *transport) WriteToAddress(p []byte, a memberlist.Address) (time.Time, error) {
	s, err := t.sender(a.Name)
	if err != nil {
		return time.Time{}, &net.OpError{Op: "write", Net: "udp", Err: err}
	}
	if len(p) > maxPacket {
		return time.Time{}, fmt.Errorf("%w: %d bytes", errPacket, len(p))
	}
	select {
	case s.queue <- append([]byte(nil), p...):
	default:
		t.ring.lost(a.Name, "queue_full")
	}
	return time.Now(), nil
}

// DialAddressTimeout opens a stream to a member.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if !t.ring.has(a.Name) {
		return nil, fmt.Errorf("%q is not in the ring, or its root is not known", a.Name)
	}
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	conn, err := t.ring.dial(ctx, a.Name, kindStream)
	if err != nil {
		return nil, err
	}
	t.ring.heard(a.Name)
	s := &stream{Conn: conn, bounds: t.ring.bounds()}
	s.closed = func() { t.untrack(conn) }
	if !t.track(conn, a.Name) {
		cut(conn)
		return nil, errClosed
	}
	return s, nil
}

// Shutdown closes everything and waits until nothing moves any more.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	t.cancel()
	for conn := range t.open {
		cut(conn)
	}
	t.mu.Unlock()
	t.running.Wait()
	return nil
}

// forget ends all connections with a member.
func (t *transport) forget(member string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.senders[member]; s != nil {
		s.cancel()
		delete(t.senders, member)
	}
	delete(t.callers, member)
	for conn, m := range t.open {
		if m == member {
			cut(conn)
		}
	}
}

// cut ends a connection without the farewell of TLS, which waits for a peer that may be gone.
func cut(conn net.Conn) {
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = c.NetConn()
	}
	_ = conn.Close()
}

// track keeps account of an open connection; it is false when there must not be any.
func (t *transport) track(conn net.Conn, member string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return false
	}
	t.open[conn] = member
	return true
}

func (t *transport) untrack(conn net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, conn)
}

// start runs f until Shutdown; it is false when that has come already. The lock orders it with Shutdown's Wait.
func (t *transport) start(f func()) bool {
	if t.ctx.Err() != nil {
		return false
	}
	t.running.Add(1)
	go func() {
		defer t.running.Done()
		f()
	}()
	return true
}
