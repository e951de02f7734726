package discovery

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/hanse-io/hanse/member-agent/discovery/mux"
)

// sender sends packets to one member over one stream, which it opens on demand. It has a goroutine only while there are
// packets to send. The lock of its transport guards it.
type sender struct {
	member  string
	ctx     context.Context
	cancel  context.CancelFunc
	queue   [][]byte
	sending bool
	conn    mux.Stream // nil if there is none
	failed  time.Time  // when it could not be opened
}

// enqueue queues a packet for a member of the group; false if there are too many.
func (t *transport) enqueue(member string, p []byte) (bool, error) {
	if !t.group.has(member) {
		return false, fmt.Errorf("%q is not in the group, or its root is not known", member)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return false, errClosed
	}
	s := t.senders[member]
	if s == nil {
		s = &sender{member: member}
		s.ctx, s.cancel = context.WithCancel(t.ctx)
		t.senders[member] = s
	}
	if len(s.queue) >= queueLength {
		return false, nil
	}
	s.queue = append(s.queue, p)
	if !s.sending {
		s.sending = t.start(func() { t.send(s) })
	}
	return true, nil
}

// next takes the next packet and the stream for it, if there is one; without a packet, sending ends.
func (t *transport) next(s *sender) (p []byte, conn mux.Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(s.queue) == 0 || s.ctx.Err() != nil {
		s.queue, s.sending = nil, false
		return nil, nil
	}
	p, s.queue = s.queue[0], s.queue[1:]
	return p, s.conn
}

// resetConn closes the stream, so that the next packet to a member opens a new one.
func (t *transport) resetConn(member string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.senders[member]; s != nil && s.conn != nil {
		t.drop(s, s.conn)
	}
}

// drop closes the stream of a sender. The lock is held.
func (t *transport) drop(s *sender, conn mux.Stream) {
	if s.conn == conn {
		s.conn = nil
	}
	delete(t.open, conn)
	_ = conn.Close()
}

func (t *transport) send(s *sender) {
	for {
		p, conn := t.next(s)
		if p == nil {
			return
		}
		if conn != nil && conn.Ended() {
			t.mu.Lock()
			t.drop(s, conn)
			t.mu.Unlock()
			conn = nil
		}
		if conn == nil && time.Since(s.failed) > redialInterval {
			if conn = t.dialPackets(s); conn == nil {
				s.failed = time.Now()
			}
		}
		if conn == nil {
			t.group.packetDropped(s.member, "unreachable")
			continue
		}
		if err := writeWithDeadline(conn, p); err != nil {
			t.group.packetDropped(s.member, "write")
			t.mu.Lock()
			t.drop(s, conn)
			t.mu.Unlock()
		}
	}
}

func (t *transport) dialPackets(s *sender) mux.Stream {
	ctx, cancel := context.WithTimeout(s.ctx, dialTimeout)
	defer cancel()
	conn, err := t.group.dial(ctx, s.member, kindPackets)
	if err != nil {
		return nil
	}
	t.group.touch(s.member)
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = conn.Close()
		return nil
	}
	s.conn, t.open[conn] = conn, s.member
	return conn
}

func writeWithDeadline(conn net.Conn, p []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return writePacket(conn, p)
}
