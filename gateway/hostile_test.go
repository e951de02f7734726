package gateway

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// clientHello is what a client of crypto/tls sends first.
func clientHello(t testing.TB, name string) []byte {
	t.Helper()
	c, s := net.Pipe()
	defer c.Close()
	defer s.Close()
	go func() {
		// The name is not verified, for nobody answers.
		_ = tls.Client(c, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}).Handshake()
	}()
	buf := make([]byte, 16<<10)
	n, err := s.Read(buf)
	must(t, err)
	return buf[:n]
}

func TestRefusals(t *testing.T) {
	quick := func(o *Options) { o.HelloTimeout = 2 * time.Second } // and yet time for a busy machine to read what is sent
	m := join(t, quick, nil)
	whole := clientHello(t, nodeB)
	for _, c := range []struct {
		name   string
		sends  []byte
		hangUp bool
		reason string
		alert  string
	}{
		{name: "a name that nobody serves", sends: clientHello(t, "peer0-c.hanse-trade"), reason: rejectedUnknownSNI, alert: "unrecognized name"},
		{name: "a host of the Internet, as through an open proxy", sends: clientHello(t, "example.com"), reason: rejectedUnknownSNI, alert: "unrecognized name"},
		{name: "the admin name of the far gateway", sends: clientHello(t, v1alpha1.GatewayServerName("b")), reason: rejectedUnknownSNI},
		{name: "a ClientHello without a name", sends: clientHello(t, "127.0.0.1"), reason: rejectedNoSNI},
		{name: "HTTP in the clear", sends: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), reason: rejectedBadTLS},
		{name: "garbage in a TLS record", sends: append([]byte{22, 3, 1, 0, 64}, make([]byte, 64)...), reason: rejectedBadTLS},
		{name: "a hello that says it is 64 KiB", sends: []byte{22, 3, 1, 0x40, 0, 1, 1, 0, 0}, reason: rejectedBadTLS},
		{name: "nothing at all", sends: nil, reason: rejectedSlowHello},
		{name: "half a hello", sends: whole[:len(whole)/2], reason: rejectedSlowHello},
		{name: "half a hello, then gone", sends: whole[:len(whole)/2], hangUp: true, reason: rejectedNoHello},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := m.a.metric(t, "hanse_gateway_refused_total", "reason", c.reason)
			conn, err := net.Dial("tcp", m.a.inside)
			must(t, err)
			defer conn.Close()
			_, err = conn.Write(c.sends)
			must(t, err)
			if c.hangUp {
				must(t, conn.(*net.TCPConn).CloseWrite())
			}
			must(t, conn.SetReadDeadline(time.Now().Add(testTimeout)))
			answer, err := io.ReadAll(conn)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Fatal("the connection was kept")
			}
			if c.alert != "" && (len(answer) != 7 || answer[0] != 21) {
				t.Errorf("the answer is %x, want the alert %q", answer, c.alert)
			}
			eventually(t, "the refusal is counted as "+c.reason, func() bool {
				return m.a.metric(t, "hanse_gateway_refused_total", "reason", c.reason) == before+1
			})
		})
	}
}

func TestSlowHelloByteByByte(t *testing.T) {
	m := join(t, func(o *Options) { o.HelloTimeout = 300 * time.Millisecond }, nil)
	conn, err := net.Dial("tcp", m.a.line)
	must(t, err)
	defer conn.Close()
	broke := false
	for _, b := range clientHello(t, nodeA) { // each byte in time, the whole too late
		if _, err := conn.Write([]byte{b}); err != nil {
			broke = true
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if !broke {
		t.Error("a hello could be dragged out to its end")
	}
	eventually(t, "it is counted", func() bool {
		return m.a.metric(t, "hanse_gateway_refused_total", "reason", rejectedSlowHello) == 1
	})
}

func TestHalfOpenFlood(t *testing.T) {
	const limit = 50
	m := join(t, nil, func(o *Options) { o.Limits.HalfOpenPerSource = limit })
	before := runtime.NumGoroutine()
	var flood []net.Conn
	defer func() {
		for _, c := range flood {
			c.Close()
		}
	}()
	for range 10 * limit {
		c, err := net.Dial("tcp", m.b.line)
		must(t, err)
		flood = append(flood, c)
	}
	eventually(t, "all but the limit are refused", func() bool {
		return m.b.metric(t, "hanse_gateway_refused_total", "reason", rejectedTooMany) >= 9*limit
	})
	if n := m.b.metric(t, "hanse_gateway_half_open_connections", "listener", "line"); n > limit {
		t.Errorf("%v half-open connections, want at most %d", n, limit)
	}
	eventually(t, "goroutines are bounded", func() bool { return runtime.NumGoroutine()-before < 2*limit })
	// Whoever says what it wants is served all the while.
	conn, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
}

func TestTooManyConnections(t *testing.T) {
	m := join(t, func(o *Options) { o.Limits = Limits{Connections: 12, ConnectionsPerSource: 6} }, nil) // 3 to one name
	var calls []*tls.Conn
	for range 3 {
		c, err := call(m.a.inside, nodeA, m.orgA)
		must(t, err)
		defer c.Close()
		calls = append(calls, c)
	}
	if c, err := call(m.a.inside, nodeA, m.orgA); err == nil {
		c.Close()
		t.Fatal("a fourth connection was taken")
	}
	for _, c := range calls { // an established connection never gives way
		must(t, echoes(c))
	}
	calls[0].Close()
	eventually(t, "there is room again", func() bool {
		c, err := call(m.a.inside, nodeA, m.orgA)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

func TestProofs(t *testing.T) {
	m := join(t, nil, nil)
	outsider := newOrganization(t, "c")
	gatewayA := v1alpha1.GatewayServerName("a")
	for _, c := range []struct {
		name string
		cert []tls.Certificate
		ok   bool
	}{
		{"b's gateway by b's root", []tls.Certificate{m.orgB.pair(t, v1alpha1.GatewayServerName("b"))}, true},
		{"b's agent by b's root", []tls.Certificate{m.orgB.pair(t, v1alpha1.AgentServerName("b"))}, true},
		{"no certificate", nil, false},
		{"b's name by a root that nobody knows", []tls.Certificate{outsider.pair(t, v1alpha1.GatewayServerName("b"))}, false},
		{"a's name by b's root, which vouches for b only", []tls.Certificate{m.orgB.pair(t, gatewayA)}, false},
		{"a node's certificate", []tls.Certificate{m.orgB.pair(t, nodeB)}, false},
		{"a member that nobody knows", []tls.Certificate{m.orgB.pair(t, v1alpha1.GatewayServerName("c"))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := m.a.metric(t, "hanse_gateway_refused_total", "reason", rejectedNoProof)
			conn, err := tls.Dial("tcp", m.a.line, &tls.Config{
				MinVersion: tls.VersionTLS13, ServerName: gatewayA, RootCAs: m.orgA.pool(), Certificates: c.cert,
			})
			must(t, err) // with TLS 1.3 the client is done before the server has looked at its certificate
			defer conn.Close()
			must(t, conn.SetDeadline(time.Now().Add(testTimeout)))
			text := `{"line":"l1","nonce":7}`
			_, _ = conn.Write(append([]byte{0, byte(len(text))}, text...))
			answer := make([]byte, 64)
			n, err := conn.Read(answer)
			if answered := err == nil && strings.Contains(string(answer[:n]), `"nonce":7`); answered != c.ok {
				t.Errorf("answered: %v (%q, %v), want %v", answered, answer[:n], err, c.ok)
			}
			if !c.ok {
				eventually(t, "it is counted", func() bool {
					return m.a.metric(t, "hanse_gateway_refused_total", "reason", rejectedNoProof) == before+1
				})
			}
		})
	}
}

func TestFarGatewayWithWrongRootIsDown(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	wrong := m.routes
	wrong.Roots = map[string]string{"a": m.orgA.root, "b": newOrganization(t, "b").root}
	m.a.applyRoutes(t, wrong)
	m.a.waitFor(t, "l1", v1alpha1.LineDown)
	if r := m.a.memory.reported("l1"); !strings.Contains(r.Detail, "prove") || r.Reason != v1alpha1.LineUnreachable {
		t.Errorf("%+v, want the detail to say that the proof failed, and the reason not to", r)
	}
}

func TestRenewedCertificateIsTaken(t *testing.T) {
	m := join(t, nil, nil)
	first, err := m.a.keys.get()
	must(t, err)
	m.orgA.mount(t, m.a.certs)
	second, err := m.a.keys.get()
	must(t, err)
	if first.Leaf.SerialNumber.Cmp(second.Leaf.SerialNumber) == 0 {
		t.Error("the renewed certificate was not read")
	}
}
