package discovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/hanse-io/hanse/member-agent/discovery/mux"
)

// Every agent has the same address in memberlist: one of the documentation block. Agents are addressed by name, and
// routed by the gateways.
var (
	placeholderAddr = net.IPv4(192, 0, 2, 1).To4()
	placeholderPort = 7946
)

const (
	// queueLength is the number of packets queued for one member. Further ones are dropped, as with UDP.
	queueLength = 64
	// writeTimeout bounds writing a packet; idleTimeout is how long a packet connection may be idle before it is closed,
	// to be opened again on demand.
	writeTimeout = 5 * time.Second
	idleTimeout  = 5 * time.Minute
	// redialInterval is how long packets for a member are dropped after it could not be reached.
	redialInterval = 500 * time.Millisecond
)

var errClosed = errors.New("the group is closed")

// peerSet is what a transport needs of its group.
type peerSet interface {
	// dial opens an authenticated connection to a member, accepted by the other side.
	dial(ctx context.Context, member string, k kind) (mux.Stream, error)
	// has is whether the member is in the group, and its root known.
	has(member string) bool
	// touch is called whenever authenticated data has come from a member.
	touch(member string)
	// bounds are those of one exchange.
	bounds() bounds
	// packetDropped is called when a packet for a member was dropped.
	packetDropped(member, reason string)
	// protocolViolation is called when a member has sent what it must not send.
	protocolViolation(member string, why error)
}

// transport implements memberlist.NodeAwareTransport for one group: packets and streams to names, over the
// connections that all groups share.
type transport struct {
	group   peerSet
	packets chan *memberlist.Packet
	streams chan net.Conn
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	senders map[string]*sender
	callers map[string]*callerState
	open    map[net.Conn]string // by member
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

func newTransport(group peerSet) *transport {
	t := &transport{
		group: group, packets: make(chan *memberlist.Packet), streams: make(chan net.Conn),
		senders: map[string]*sender{}, callers: map[string]*callerState{}, open: map[net.Conn]string{},
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return placeholderAddr, placeholderPort, nil
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

func (t *transport) WriteTo(p []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(p, memberlist.Address{Addr: addr})
}

func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// WriteToAddress never blocks, and never fails for a member of the group: memberlist expects no error for lost packets.
// For others it fails with the error that makes memberlist suspect, and finally remove them.
func (t *transport) WriteToAddress(p []byte, a memberlist.Address) (time.Time, error) {
	if len(p) == 0 || len(p) > maxPacket {
		return time.Time{}, fmt.Errorf("%w: %d bytes", errPacket, len(p))
	}
	ok, err := t.enqueue(a.Name, bytes.Clone(p))
	if err != nil {
		return time.Time{}, &net.OpError{Op: "write", Net: "udp", Err: err}
	}
	if !ok {
		t.group.packetDropped(a.Name, "queue_full")
	}
	return time.Now(), nil
}

// DialAddressTimeout opens a stream to a member.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if !t.group.has(a.Name) {
		return nil, fmt.Errorf("%q is not in the group, or its root is not known", a.Name)
	}
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	conn, err := t.group.dial(ctx, a.Name, kindStream)
	if err != nil {
		return nil, err
	}
	t.group.touch(a.Name)
	s := &stream{Conn: conn, bounds: t.group.bounds()}
	s.closed = func() { t.untrack(conn) }
	if !t.track(conn, a.Name) {
		_ = conn.Close()
		return nil, errClosed
	}
	return s, nil
}

// Shutdown closes everything and waits until all goroutines have ended.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	t.cancel()
	for conn := range t.open {
		_ = conn.Close()
	}
	t.mu.Unlock()
	t.running.Wait()
	return nil
}

// forget closes all connections with a member.
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
			delete(t.open, conn)
			_ = conn.Close()
		}
	}
}

// track registers an open connection; false after Shutdown.
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

// start runs f in a goroutine that Shutdown waits for; false after Shutdown. The lock orders it with Shutdown's Wait.
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
