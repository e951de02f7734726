package discovery

import (
	"errors"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/time/rate"
)

const (
	// maxStreams is the number of streams that one member may have open at a time, streamsPerSecond and streamBurst
	// how many it may open. An honest member needs one or two every few seconds.
	maxStreams       = 6
	streamsPerSecond = 10
	streamBurst      = 30
	// deliveriesPerSecond and deliveryBurst are how many packets of records one member may send. An honest one waits
	// for a breath after each.
	deliveriesPerSecond = 20
	deliveryBurst       = 40
	// handOver is how long memberlist may take to fetch a stream.
	handOver = 5 * time.Second
)

var errTooMany = errors.New("more of one member than an honest one needs")

// admissions is the account of one member's incoming connections.
type admissions struct {
	packets net.Conn // the latest, and the only one
	streams int
	limit   *rate.Limiter
}

// admit takes an authenticated connection into the ring. The connection is the transport's from then on, unless there
// is an error.
func (t *transport) admit(conn net.Conn, member string, k kind) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return errClosed
	}
	a := t.callers[member]
	if a == nil {
		a = &admissions{limit: rate.NewLimiter(streamsPerSecond, streamBurst)}
		t.callers[member] = a
	}
	if k == kindStream && (a.streams >= maxStreams || !a.limit.Allow()) {
		return errTooMany
	}
	t.open[conn] = member
	if k == kindPackets {
		if a.packets != nil {
			cut(a.packets)
		}
		a.packets = conn
		t.start(func() { t.receive(conn, member) })
		return nil
	}
	a.streams++
	s := &stream{Conn: conn, bounds: t.ring.bounds()}
	s.closed = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		a.streams--
		delete(t.open, conn)
	}
	t.start(func() { t.deliver(s, member) })
	return nil
}

// deliver welcomes a stream and hands it to memberlist.
func (t *transport) deliver(s *stream, member string) {
	if err := welcomeTo(s.Conn); err != nil {
		_ = s.Close()
		return
	}
	t.ring.heard(member)
	timer := time.NewTimer(handOver)
	defer timer.Stop()
	select {
	case t.streams <- s:
	case <-timer.C:
		_ = s.Close()
	case <-t.ctx.Done():
		_ = s.Close()
	}
}

func welcomeTo(conn net.Conn) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := conn.Write([]byte{welcome})
	return err
}

// receive reads a member's packets until it hangs up or breaks the rules.
func (t *transport) receive(conn net.Conn, member string) {
	defer func() {
		t.untrack(conn)
		cut(conn)
	}()
	if err := welcomeTo(conn); err != nil {
		return
	}
	from := sourceAddr(member)
	deliveries := rate.NewLimiter(deliveriesPerSecond, deliveryBurst)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return
		}
		p, err := readPacket(conn)
		if err != nil {
			return
		}
		if err := inspectPacket(p, member); err != nil {
			t.ring.refused(member, err)
			return
		}
		t.ring.heard(member)
		if carriesRecords(p) && !deliveries.Allow() {
			t.ring.refused(member, errTooMany)
			continue
		}
		select {
		case t.packets <- &memberlist.Packet{Buf: p, From: from, Timestamp: time.Now()}:
		case <-t.ctx.Done():
			return
		}
	}
}

// sourceAddr is a member as a network address.
type sourceAddr string

func (a sourceAddr) Network() string { return "hanse" }
func (a sourceAddr) String() string  { return string(a) }
