package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

// organization is a member with its own root.
type organization struct {
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	root string
}

func newOrganization(t testing.TB, name string) *organization {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name + " root"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &organization{name, cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue makes a certificate and its key, in PEM.
func (o *organization) issue(t testing.TB, names ...string) (cert, key []byte) {
	t.Helper()
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, o.cert, leaf.Public(), o.key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(leaf)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

func (o *organization) pair(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(o.issue(t, names...))
	must(t, err)
	return pair
}

func (o *organization) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(o.cert)
	return pool
}

// mount writes a gateway's certificate as a Secret is mounted.
func (o *organization) mount(t testing.TB, dir string) {
	t.Helper()
	cert, key := o.issue(t, v1alpha1.GatewayServerName(o.name))
	must(t, os.WriteFile(filepath.Join(dir, certFile), cert, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, keyFile), key, 0o600))
}

// memorySource is a Source and a Sink without a cluster.
type memorySource struct {
	routes chan routing.Routes
	mu     sync.Mutex
	text   string // of the last report
	lines  []LineReport
	writes int
}

func newMemorySource() *memorySource { return &memorySource{routes: make(chan routing.Routes, 8)} }

func (m *memorySource) Watch(ctx context.Context, changed func([]byte)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-m.routes:
			text, err := r.JSON()
			if err != nil {
				return err
			}
			changed(text)
		}
	}
}

func (m *memorySource) Report(_ context.Context, text []byte) error {
	var report routing.Report[LineReport]
	if err := json.Unmarshal(text, &report); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.text, m.lines = string(text), report.Lines
	m.writes++
	return nil
}

func (m *memorySource) Withdraw(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.text, m.lines = "", nil
	return nil
}

// latest is the text of the last report, empty if it was withdrawn or there was none, and the number of reports so far.
func (m *memorySource) latest() (text string, writes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text, m.writes
}

func (m *memorySource) reported(name string) LineReport {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.lines {
		if l.Name == name {
			return l
		}
	}
	return LineReport{}
}

// testGateway is a gateway that runs.
type testGateway struct {
	*gateway
	memory       *memorySource
	certs        string
	inside, line string
	web          string
	stop         func() error
}

func startGateway(t testing.TB, org *organization, change func(*Options)) *testGateway {
	t.Helper()
	p := &testGateway{memory: newMemorySource(), certs: t.TempDir()}
	org.mount(t, p.certs)
	o := DefaultOptions()
	o.InsideAddress, o.LineAddress, o.MetricsAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	o.CertDir, o.Source, o.Sink = p.certs, p.memory, p.memory
	o.DrainDelay, o.DrainTimeout, o.CloseTimeout = time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
	o.LineDialTimeout = 500 * time.Millisecond
	o.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.lineAllowed = func(netip.Addr) error { return nil }
	if change != nil {
		change(&o)
	}
	must(t, o.complete())
	ctx, cancel := context.WithCancel(context.Background())
	inside, lines, web, err := o.listen(ctx)
	must(t, err)
	p.inside, p.line, p.web = inside.Addr().String(), lines.Addr().String(), web.Addr().String()
	p.gateway = newGateway(o)
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx, inside, lines, web) }()
	p.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { must(t, p.stopByClock()) })
	return p
}

// stopByClock stops a gateway, whose clock goes on by itself or is moved on until it has drained.
func (p *testGateway) stopByClock() error {
	fake, ok := p.o.Clock.(*clocktesting.FakeClock)
	if !ok {
		return p.stop()
	}
	ended := make(chan error, 1)
	go func() { ended <- p.stop() }()
	for {
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Millisecond):
			fake.Step(time.Hour)
		}
	}
}

// applyRoutes gives the gateway routes and waits until they hold.
func (p *testGateway) applyRoutes(t testing.TB, r routing.Routes) {
	t.Helper()
	p.memory.routes <- r
	want, _ := r.JSON()
	eventually(t, "the routes hold", func() bool {
		have, _ := p.table.Load().routes.JSON()
		return p.hasRoutes.Load() && string(have) == string(want)
	})
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	if testing.Verbose() {
		w.t.Logf("%s", b)
	}
	return len(b), nil
}

// testLine is a line on loopback: a TCP relay that can be cut.
type testLine struct {
	t       testing.TB
	address string
	to      string
	mu      sync.Mutex
	ln      net.Listener
	conns   map[net.Conn]struct{}
	dark    chan struct{} // closed while the wire passes bytes
	tasks   sync.WaitGroup
}

func newTestLine(t testing.TB, to string) *testLine {
	t.Helper()
	w := &testLine{t: t, to: to, conns: map[net.Conn]struct{}{}, address: "127.0.0.1:0"}
	w.restore()
	t.Cleanup(func() {
		w.unplug()
		w.tasks.Wait()
	})
	return w
}

// restore makes the wire whole.
func (w *testLine) restore() {
	ln, err := net.Listen("tcp", w.address)
	must(w.t, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.address, w.ln = ln.Addr().String(), ln
	w.dark = make(chan struct{})
	close(w.dark)
	w.tasks.Go(func() { w.accept(ln) })
}

// unplug closes everything; whoever dials is refused.
func (w *testLine) unplug() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln == nil {
		return
	}
	w.ln.Close()
	w.ln = nil
	select {
	case <-w.dark:
	default:
		close(w.dark)
	}
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
}

// blackhole lets nothing through any more, and tells nobody.
func (w *testLine) blackhole() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dark = make(chan struct{})
}

func (w *testLine) accept(ln net.Listener) {
	for {
		a, err := ln.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", w.to)
		if err != nil {
			a.Close()
			continue
		}
		if !w.keep(ln, a, b) {
			return
		}
		w.tasks.Go(func() { w.forward(a, b) })
		w.tasks.Go(func() { w.forward(b, a) })
	}
}

// keep remembers a connection, unless the wire was unplugged meanwhile.
func (w *testLine) keep(ln net.Listener, a, b net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ln != ln {
		a.Close()
		b.Close()
		return false
	}
	w.conns[a], w.conns[b] = struct{}{}, struct{}{}
	return true
}

func (w *testLine) forward(dst, src net.Conn) {
	defer dst.Close()
	defer src.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		w.mu.Lock()
		dark := w.dark
		w.mu.Unlock()
		<-dark
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *testLine) line(name, member string, priority int32) routing.Line {
	to := netip.MustParseAddrPort(w.address)
	return routing.Line{Name: name, Member: member, Address: to.Addr().String(), Port: int32(to.Port()), Priority: priority}
}

// startEcho is a node: it answers over TLS with what it hears.
func startEcho(t testing.TB, org *organization, name string) string {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{org.pair(t, name)}})
	must(t, err)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); tasks.Wait() })
	return ln.Addr().String()
}

// call opens a TLS connection by way of a gateway.
func call(address, name string, org *organization) (*tls.Conn, error) {
	d := &net.Dialer{Timeout: testTimeout}
	return tls.DialWithDialer(d, "tcp", address, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name, RootCAs: org.pool()})
}

// echoes reports whether what is said on a connection comes back.
func echoes(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 5))
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testTimeout is how long anything may take on a machine that is busy with other tests too; nothing is right or wrong
// because it is slow.
const testTimeout = 3 * time.Minute

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(testTimeout)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("in %v it did not come to be that %s", testTimeout, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
