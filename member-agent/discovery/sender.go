package discovery

import (
	"context"
	"fmt"
	"net"
	"time"
)

// sender carries packets to one member over one connection, which it opens when there is something to carry.
type sender struct {
	member string
	queue  chan []byte
	reset  chan struct{}
	cancel context.CancelFunc
}

// sender finds or starts the one for a member.
func (t *transport) sender(member string) (*sender, error) {
	if !t.ring.has(member) {
		return nil, fmt.Errorf("%q is not in the ring, or its root is not known", member)
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

// redial makes the next packet to a member go over a new connection. A connection may hang for minutes after its road
// was cut, long after the road is open again.
func (t *transport) redial(member string) {
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
	hangUp := func() {
		if conn != nil {
			t.untrack(conn)
			cut(conn)
			conn = nil
		}
	}
	defer hangUp()
	var failed time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reset:
			hangUp()
		case p := <-s.queue:
			if conn == nil && time.Since(failed) > redialPause {
				if conn = t.callForPackets(ctx, s.member); conn == nil {
					failed = time.Now()
				}
			}
			if conn == nil {
				t.ring.lost(s.member, "unreachable")
				continue
			}
			if err := writeInTime(conn, p); err != nil {
				t.ring.lost(s.member, "write")
				hangUp()
			}
		}
	}
}

func (t *transport) callForPackets(ctx context.Context, member string) net.Conn {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	conn, err := t.ring.dial(ctx, member, kindPackets)
	if err != nil {
		return nil
	}
	t.ring.heard(member)
	if !t.track(conn, member) {
		cut(conn)
		return nil
	}
	return conn
}

func writeInTime(conn net.Conn, p []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return writePacket(conn, p)
}
