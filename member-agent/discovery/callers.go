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
	// recordsPerSecond and recordBurst are how many packets of records one member may send. An honest one waits
	// minInterval after each.
	recordsPerSecond = 20
	recordBurst      = 40
	// streamTimeout is how long memberlist may take to receive a stream.
	streamTimeout = 5 * time.Second
)

var errRateLimited = errors.New("rate limit of one member exceeded")

// callerState is the state of one member's incoming connections.
type callerState struct {
	packets net.Conn // the latest, and the only one
	streams int
	limit   *rate.Limiter
}

// admit takes over an authenticated connection. The transport owns it from then on, unless there is an error.
func (t *transport) admit(conn net.Conn, member string, k kind) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return errClosed
	}
	a := t.callers[member]
	if a == nil {
		a = &callerState{limit: rate.NewLimiter(streamsPerSecond, streamBurst)}
		t.callers[member] = a
	}
	if k == kindStream && (a.streams >= maxStreams || !a.limit.Allow()) {
		return errRateLimited
	}
	t.open[conn] = member
	if k == kindPackets {
		if a.packets != nil {
			_ = a.packets.Close()
		}
		a.packets = conn
		t.start(func() { t.handlePackets(conn, member) })
		return nil
	}
	a.streams++
	s := &stream{Conn: conn, bounds: t.group.bounds()}
	s.closed = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		a.streams--
		delete(t.open, conn)
	}
	t.start(func() { t.handleStream(s, member) })
	return nil
}

// handleStream acknowledges a stream and passes it to memberlist.
func (t *transport) handleStream(s *stream, member string) {
	if err := writeAck(s.Conn); err != nil {
		_ = s.Close()
		return
	}
	t.group.touch(member)
	timer := time.NewTimer(streamTimeout)
	defer timer.Stop()
	select {
	case t.streams <- s:
	case <-timer.C:
		_ = s.Close()
	case <-t.ctx.Done():
		_ = s.Close()
	}
}

func writeAck(conn net.Conn) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := conn.Write([]byte{ack})
	return err
}

// handlePackets reads a member's packets until it disconnects or violates the protocol.
func (t *transport) handlePackets(conn net.Conn, member string) {
	defer func() {
		t.untrack(conn)
		_ = conn.Close()
	}()
	if err := writeAck(conn); err != nil {
		return
	}
	from := sourceAddr(member)
	deliveries := rate.NewLimiter(recordsPerSecond, recordBurst)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
			return
		}
		p, err := readPacket(conn)
		if err != nil {
			return
		}
		if err := validatePacket(p, member); err != nil {
			t.group.protocolViolation(member, err)
			return
		}
		t.group.touch(member)
		if carriesStatements(p) && !deliveries.Allow() {
			t.group.protocolViolation(member, errRateLimited)
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
