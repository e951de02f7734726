package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

// from dials from one of loopback's addresses.
func from(t testing.TB, source, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: testTimeout}
	conn, err := d.Dial("tcp", to)
	must(t, err)
	return conn
}

// callFrom opens a TLS connection from one of loopback's addresses.
func callFrom(t testing.TB, source, to, name string, org *organization) (*tls.Conn, error) {
	t.Helper()
	conn := tls.Client(from(t, source, to), &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name, RootCAs: org.pool()})
	must(t, conn.SetDeadline(time.Now().Add(testTimeout)))
	return conn, conn.Handshake()
}

// TestOneLineCannotFillTheGateway floods b's gateway as a captured member did on real clusters: 8,400 connections from one
// line, each of which names a node and then says nothing more.
func TestOneLineCannotFillTheGateway(t *testing.T) {
	const flood = 8400
	m := join(t, nil, func(o *Options) { o.HandshakeTimeout = 10 * testTimeout })
	m.b.waitFor(t, "l1", v1alpha1.LineUp)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	hello := clientHello(t, nodeB)
	conns := make([]net.Conn, 0, flood)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range flood {
		c := from(t, "127.0.0.1", m.b.line) // where a's gateway comes from too
		conns = append(conns, c)
		_, _ = c.Write(hello)
	}
	limit := DefaultOptions().Limits.ConnectionsPerSource / 2 // to one name
	eventually(t, "all but the limit are refused", func() bool {
		return m.b.metric(t, "hanse_gateway_refused_total", "reason", rejectedTooMany) >= float64(flood-limit)
	})
	if n := m.b.metric(t, "hanse_gateway_connections", "direction", "inward"); n > float64(limit) {
		t.Errorf("%v connections are passed on, want %d at most", n, limit)
	}

	other, err := callFrom(t, "127.0.0.9", m.b.line, nodeB, m.orgB)
	if err != nil {
		t.Fatalf("another line finds no room: %v", err)
	}
	defer other.Close()
	must(t, echoes(other))
	probe, err := tls.Dial("tcp", m.b.line, &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: v1alpha1.GatewayServerName("b"), RootCAs: m.orgB.pool(),
		Certificates: []tls.Certificate{m.orgA.pair(t, v1alpha1.GatewayServerName("a"))},
	})
	if err != nil {
		t.Fatalf("a new probe finds no room, from the very line that is flooded: %v", err)
	}
	defer probe.Close()
	m.a.applyRoutes(t, routing.Routes{Member: "a", Roots: m.routes.Roots}) // its prober starts anew
	m.a.applyRoutes(t, m.routes)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)

	eventually(t, "b says that a's line is full", func() bool {
		r := m.b.memory.reported("l1")
		return r.State == v1alpha1.LineUp && r.Reason == v1alpha1.LineFull && r.Detail != ""
	})
	if m.b.metric(t, "hanse_gateway_at_limit", "listener", "line") != 1 || m.b.metric(t, "hanse_line_at_limit", "line", "l1") != 1 {
		t.Error("the metrics do not say that a limit is reached")
	}
}

func TestHandshakeThatNeverEnds(t *testing.T) {
	m := join(t, nil, func(o *Options) { o.HandshakeTimeout = time.Second })
	whole, err := callFrom(t, "127.0.0.1", m.b.line, nodeB, m.orgB)
	must(t, err)
	defer whole.Close()
	must(t, echoes(whole)) // established, within the time or never

	half := from(t, "127.0.0.1", m.b.line)
	defer half.Close()
	_, err = half.Write(clientHello(t, nodeB))
	must(t, err)
	must(t, half.SetReadDeadline(time.Now().Add(testTimeout)))
	if _, err := io.Copy(io.Discard, half); errors.Is(err, os.ErrDeadlineExceeded) { // the node's part of the handshake comes
		t.Fatal("a handshake that never ends is kept")
	}
	if n := m.b.metric(t, "hanse_gateway_closed_total", "reason", closedSlowHandshake); n != 1 {
		t.Errorf("%v connections counted, want 1", n)
	}
	must(t, echoes(whole))
}

func TestIdle(t *testing.T) {
	m := join(t, nil, func(o *Options) { o.IdleTimeout = 3 * time.Second })
	busy, err := callFrom(t, "127.0.0.1", m.b.line, nodeB, m.orgB)
	must(t, err)
	defer busy.Close()
	idle, err := callFrom(t, "127.0.0.1", m.b.line, nodeB, m.orgB)
	must(t, err)
	defer idle.Close()
	must(t, echoes(idle))
	eventually(t, "the silent one is closed while the other goes on", func() bool {
		must(t, echoes(busy))
		return m.b.metric(t, "hanse_gateway_closed_total", "reason", closedIdle) == 1
	})
	must(t, echoes(busy))
	must(t, idle.SetDeadline(time.Now().Add(testTimeout)))
	if _, err := idle.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the silent one was not closed: %v", err)
	}
}

// fakeConn has nothing but a source.
type fakeConn struct {
	net.Conn
	from   netip.AddrPort
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }
func (c *fakeConn) Close() error         { c.closed = true; return nil }

func visitor(a *admission, source string) (*pendingConn, *fakeConn) {
	c := &fakeConn{from: netip.AddrPortFrom(netip.MustParseAddr(source), 1)}
	return a.add(c), c
}

// passedOn tries n connections and returns how many are passed on.
func passedOn(a *admission, n int, source, name string) (in []*pendingConn) {
	for range n {
		v, _ := visitor(a, source)
		if ok, _ := a.open(v, name); ok {
			in = append(in, v)
		}
	}
	return in
}

func TestShares(t *testing.T) {
	limits := Limits{HalfOpen: 64, HalfOpenPerSource: 16, Connections: 1024, ConnectionsPerSource: 256}
	names := []string{"peer", "orderer"}
	both := func(a *admission, n int, source string) (in int) {
		for _, name := range names {
			in += len(passedOn(a, n, source, name))
		}
		return in
	}
	t.Run("one source and one name", func(t *testing.T) {
		if n := len(passedOn(newAdmission(limits), 2000, "10.0.0.1", "peer")); n != 128 {
			t.Errorf("%d, want half of what a source may have", n)
		}
	})
	t.Run("one source and all names", func(t *testing.T) {
		if n := both(newAdmission(limits), 2000, "10.0.0.1"); n != 256 {
			t.Errorf("%d, want what a source may have", n)
		}
	})
	t.Run("one /64 is one source", func(t *testing.T) {
		a := newAdmission(limits)
		n := 0
		for i := range 100 {
			n += both(a, 10, fmt.Sprintf("fd00::%x", i+1))
		}
		if n != 256 {
			t.Errorf("%d, want what a source may have", n)
		}
	})
	t.Run("a few sources that take all they can leave room for another one", func(t *testing.T) {
		a := newAdmission(limits)
		for i := range 8 {
			both(a, 2000, fmt.Sprintf("10.0.0.%d", i+1))
		}
		if n := both(a, 2000, "10.1.0.1"); n < 16 {
			t.Errorf("another source has room for %d", n)
		}
	})
	t.Run("when many sources have taken all, a proven member has its share", func(t *testing.T) {
		a := newAdmission(limits)
		for i := range 2000 {
			both(a, 100, netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}).String())
		}
		if n := both(a, 2000, "10.1.0.1"); n != 0 {
			t.Fatalf("there is room for %d still; the test shows nothing", n)
		}
		probe, _ := visitor(a, "10.1.0.1")
		if !a.authenticate(probe, "org2") {
			t.Fatal("a probe found no room")
		}
		if n := both(a, 2000, "10.1.0.1"); n != 16 {
			t.Errorf("a proven member has room for %d, want 16", n)
		}
		if n := both(a, 2000, "10.1.0.2"); n != 0 {
			t.Errorf("somebody else came in on the proof: %d", n)
		}
		a.deauthenticate(probe, "org2")
		if a.memberAt(probe.from) != "" {
			t.Error("the source is the member's though its probe has ended")
		}
	})
	t.Run("what leaves makes room", func(t *testing.T) {
		a := newAdmission(limits)
		for _, v := range passedOn(a, 2000, "10.0.0.1", "peer") {
			a.remove(v)
		}
		if open, half := a.counts(); open != 0 || half != 0 || len(a.sources) != 0 || a.openSources != 0 {
			t.Errorf("%d open, %d half open, %d sources, %d holders left", open, half, len(a.sources), a.openSources)
		}
	})
}

func TestHalfOpenGivesWay(t *testing.T) {
	a := newAdmission(Limits{HalfOpen: 8, HalfOpenPerSource: 4, Connections: 100, ConnectionsPerSource: 50})
	honest, conn := visitor(a, "10.0.0.1")
	var flood []*fakeConn
	for i := range 100 {
		_, c := visitor(a, fmt.Sprintf("10.0.1.%d", i%3+1))
		flood = append(flood, c)
	}
	if conn.closed {
		t.Error("an honest connection had to give way to a flood from others")
	}
	if _, half := a.counts(); half != 8 {
		t.Errorf("%d half-open connections, want 8", half)
	}
	if !flood[0].closed || flood[99].closed {
		t.Error("not the oldest of the flood gave way")
	}
	if ok, _ := a.open(honest, "peer"); !ok {
		t.Error("the honest one is not passed on")
	}
	a.closePending()
	if _, half := a.counts(); half != 0 || len(a.sources) != 1 {
		t.Errorf("%d half-open connections and %d sources are left", half, len(a.sources))
	}
}
