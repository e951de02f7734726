package discovery

import (
	"context"
	"fmt"
	"net"
	"time"
)

// sender sends packets to one member over one connection, which it opens on demand.
type sender struct {
	member string
	queue  chan []byte
	reset  chan struct{}
	cancel context.CancelFunc
}

// sender returns the sender of a member, and starts it if necessary.
func (t *transport) sender(member string) (*sender, error) {
	if !t.group.has(member) {
		return nil, fmt.Errorf("%q is not in the group, or its root is not known", member)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.senders[member]; s != nil {
		return s, nil
	}
	ctx, cancel := context.WithCancel(t.ctx)
	s := &sender{member: member, queue: make(chan []byte, queueLength), reset: make(chan struct{}, 1), cancel: cancel}
	if !t.start(func() { t.send(ctx, s) }) {
		cancel()
		return nil, errClosed
	}
	t.senders[member] = s
	return s, nil
}

// resetConn closes the connection, so that the next packet to a member opens a new one. A connection may hang for minutes
// after its network path was interrupted, even when the path has recovered.
func (t *transport) resetConn(member string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.senders[member]; s != nil {
		select {
		case s.reset <- struct{}{}:
		default:
		}
	}
}

func (t *transport) send(ctx context.Context, s *sender) {
	var conn net.Conn
	closeConn := func() {
		if conn != nil {
			t.untrack(conn)
			_ = conn.Close()
			conn = nil
		}
	}
	defer closeConn()
	var failed time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reset:
			closeConn()
		case p := <-s.queue:
			if conn == nil && time.Since(failed) > redialInterval {
				if conn = t.dialPackets(ctx, s.member); conn == nil {
					failed = time.Now()
				}
			}
			if conn == nil {
				t.group.packetDropped(s.member, "unreachable")
				continue
			}
			if err := writeWithDeadline(conn, p); err != nil {
				t.group.packetDropped(s.member, "write")
				closeConn()
			}
		}
	}
}

func (t *transport) dialPackets(ctx context.Context, member string) net.Conn {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := t.group.dial(ctx, member, kindPackets)
	if err != nil {
		return nil
	}
	t.group.touch(member)
	if !t.track(conn, member) {
		_ = conn.Close()
		return nil
	}
	return conn
}

func writeWithDeadline(conn net.Conn, p []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return writePacket(conn, p)
}
