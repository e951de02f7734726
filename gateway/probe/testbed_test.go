package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// testTimeout is how long anything may take on a machine that is busy with other tests too.
const testTimeout = time.Minute

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// authority is an organization's root.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return &authority{cert, key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) gateway(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, key.Public(), a.key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// far is a gateway at the other end of a line, over mutual TLS on loopback. serve is called for each connection in turn.
type far struct {
	address string
	root    *authority // that vouches for it
	close   func()
}

func startFar(t *testing.T, root, callers *authority, serve func(ctx context.Context, number int, conn *tls.Conn)) *far {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{root.gateway(t, "gateway.b.hanse")},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: callers.pool(),
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for number := 1; ; number++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				defer stop()
				if secure := conn.(*tls.Conn); secure.HandshakeContext(ctx) == nil {
					serve(ctx, number, secure)
				}
			})
		}
	})
	f := &far{address: ln.Addr().String(), root: root, close: sync.OnceFunc(func() { cancel(); ln.Close(); tasks.Wait() })}
	t.Cleanup(f.close)
	return f
}

// report is one result of a prober.
type report struct {
	health.Snapshot
	changed bool
}

// near is a prober that runs, with a clock that stands still until a test moves it.
type near struct {
	t       *testing.T
	clock   *clocktesting.FakeClock
	reports chan report
}

func startNear(t *testing.T, own, trusted *authority, dial func(context.Context) (net.Conn, error)) *near {
	t.Helper()
	n := &near{t: t, clock: clocktesting.NewFakeClock(time.Unix(1000, 0)), reports: make(chan report, 64)}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: "gateway.b.hanse", RootCAs: trusted.pool(), Certificates: []tls.Certificate{own.gateway(t, "gateway.a.hanse")},
	}
	p := &Prober{
		Line: "l1", Dial: dial, TLS: func() (*tls.Config, error) { return config, nil }, Clock: n.clock,
		Changed: func(s health.Snapshot, changed bool) { n.reports <- report{s, changed} },
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	if err := wait.PollUntilContextTimeout(t.Context(), time.Millisecond, testTimeout, true, func(context.Context) (bool, error) {
		return n.clock.HasWaiters(), nil
	}); err != nil {
		t.Fatalf("the prober does not wait on its clock: %v", err)
	}
	return n
}

// next is what the prober tells next.
func (n *near) next() report {
	n.t.Helper()
	return receive(n.t, n.reports)
}

// interval lets one go by.
func (n *near) interval() { n.clock.Step(Interval) }

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(testTimeout):
		t.Fatal("nothing comes")
		panic("unreachable")
	}
}

// dialing dials an address as a line is dialed.
func dialing(address string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
}
