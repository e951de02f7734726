package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// onMessage is a log handler that closes a channel at the first message that begins so.
type onMessage struct {
	slog.Handler
	prefix string
	once   *sync.Once
	seen   chan struct{}
}

func newOnMessage(prefix string) *onMessage {
	return &onMessage{slog.DiscardHandler, prefix, &sync.Once{}, make(chan struct{})}
}

func (h *onMessage) Enabled(context.Context, slog.Level) bool { return true }

func (h *onMessage) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, h.prefix) {
		h.once.Do(func() { close(h.seen) })
	}
	return nil
}

// draining asks a gateway to stop, waits until it has taken notice, and returns where its end is told.
func (p *testGateway) draining(t *testing.T, noticed *onMessage) <-chan error {
	t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- p.stop() }()
	waitFor(t, "it has taken notice", noticed.seen)
	return stopped
}

func waitFor[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(testTimeout):
		t.Fatalf("in %v it did not come to be that %s", testTimeout, what)
	}
	return v
}

// TestDrain takes a gateway through all of it, by its clock: it goes on as before, then accepts nobody, and ends with its
// last connection.
func TestDrain(t *testing.T) {
	clock, noticed := clocktesting.NewFakeClock(time.Now()), newOnMessage("asked to stop")
	m := join(t, func(o *Options) {
		o.Clock, o.Log, o.DrainDelay, o.DrainTimeout = clock, slog.New(noticed), time.Hour, 1000*time.Hour
	}, nil)
	old, err := call(m.a.inside, nodeA, m.orgA)
	must(t, err)
	defer old.Close()
	must(t, echoes(old))
	clock.Step(firstProbesTimeout) // or it may not be ready yet
	stopped := m.a.draining(t, noticed)

	fresh, err := call(m.a.inside, nodeA, m.orgA)
	if err != nil {
		t.Fatalf("the cluster still sends connections here, and one is not accepted: %v", err)
	}
	defer fresh.Close()
	must(t, echoes(fresh))
	if status, _ := get(t, m.a, "/readyz"); status != http.StatusOK {
		t.Errorf("what still accepts connections is ready: %d", status)
	}
	probe, err := tls.Dial("tcp", m.a.line, &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: v1alpha1.GatewayServerName("a"), RootCAs: m.orgA.pool(),
		Certificates: []tls.Certificate{m.orgB.pair(t, v1alpha1.GatewayServerName("b"))},
	})
	must(t, err)
	defer probe.Close()
	silent, err := net.Dial("tcp", m.a.inside)
	must(t, err)
	defer silent.Close()
	eventually(t, "the silent one is in", func() bool { _, half := m.a.gateway.inside.counts(); return half == 1 })
	eventually(t, "the probe is in", func() bool { return m.a.flows.probes("b") > 0 })

	eventually(t, "after its time nobody new is let in", func() bool {
		clock.Step(time.Minute)
		for _, address := range []string{m.a.inside, m.a.line} {
			c, err := net.Dial("tcp", address)
			if err == nil {
				c.Close()
				return false
			}
		}
		return true
	})
	for what, c := range map[string]net.Conn{"a probe, whose gateway is to ask another replica": probe, "one without a destination": silent} {
		must(t, c.SetReadDeadline(time.Now().Add(testTimeout)))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s is kept", what)
		}
	}
	if status, _ := get(t, m.a, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("a gateway that accepts nothing says it is ready: %d", status)
	}
	for _, c := range []net.Conn{old, fresh} {
		must(t, echoes(c)) // who is in goes on
		c.Close()
	}
	must(t, waitFor(t, "it ends with its last connection", stopped))
}

// TestStreamIsClosedAtItsPause: a stream that does not end is not cut off as long as bytes move, and is once none do.
func TestStreamIsClosedAtItsPause(t *testing.T) {
	clock, noticed := clocktesting.NewFakeClock(time.Now()), newOnMessage("asked to stop")
	m := join(t, func(o *Options) {
		o.Clock, o.Log = clock, slog.New(noticed)
		o.DrainDelay, o.DrainTimeout, o.CloseTimeout = time.Second, time.Second, 1000*time.Hour
		o.pause = 3 * time.Second // no machine is so busy that a stream is silent for that long
	}, nil)
	busy, err := call(m.a.inside, nodeA, m.orgA)
	must(t, err)
	defer busy.Close()
	quiet, err := call(m.a.inside, nodeA, m.orgA)
	must(t, err)
	defer quiet.Close()
	must(t, echoes(quiet))
	stopped := m.a.draining(t, noticed)

	must(t, quiet.SetReadDeadline(time.Now().Add(testTimeout)))
	ended := make(chan error, 1)
	go func() {
		_, err := quiet.Read(make([]byte, 1))
		ended <- err
	}()
	for over := false; !over; {
		clock.Step(100 * time.Millisecond)
		if err := echoes(busy); err != nil {
			t.Fatalf("a stream was cut off while bytes moved: %v", err)
		}
		select {
		case err := <-ended:
			if over = true; errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("a silent stream is kept")
			}
		default:
		}
	}
	must(t, echoes(busy))
	eventually(t, "the other one is closed once it is silent too", func() bool {
		clock.Step(100 * time.Millisecond)
		return m.a.metric(t, "hanse_gateway_connections", "direction", "within") == 0
	})
	must(t, waitFor(t, "it ends", stopped))
}

// TestDrainEnds: a stream without a pause does not keep a gateway for ever.
func TestDrainEnds(t *testing.T) {
	m := join(t, func(o *Options) { o.pause = 10 * testTimeout }, nil)
	conn, err := call(m.a.inside, nodeA, m.orgA)
	must(t, err)
	defer conn.Close()
	must(t, m.a.stop())
	if echoes(conn) == nil {
		t.Error("a connection outlived the gateway")
	}
}

// service is a Kubernetes Service in front of several gateways: a connection goes to one of its endpoints, and what a
// connection has gone to it stays with.
type service struct {
	ln        net.Listener
	mu        sync.Mutex
	endpoints []string
	next      int
}

func startService(t *testing.T, endpoints ...string) *service {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &service{ln: ln, endpoints: endpoints}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() { s.forward(conn) })
		}
	})
	t.Cleanup(func() { ln.Close(); tasks.Wait() })
	return s
}

func (s *service) forward(conn net.Conn) {
	defer conn.Close()
	s.mu.Lock()
	s.next++
	to := s.endpoints[s.next%len(s.endpoints)]
	s.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, far)
		conn.Close()
	})
	_, _ = io.Copy(far, conn)
	far.Close()
	back.Wait()
}

func (s *service) remove(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints = slices.DeleteFunc(s.endpoints, func(e string) bool { return e == endpoint })
}

// TestReplicaReplacedUnderLoad: of two gateways one is stopped, and the cluster takes its time to learn of it. No request
// fails, each on a connection of its own.
func TestReplicaReplacedUnderLoad(t *testing.T) {
	clock, noticed := clocktesting.NewFakeClock(time.Now()), newOnMessage("asked to stop")
	m := join(t, func(o *Options) { o.Clock, o.Log = clock, slog.New(noticed) }, nil)
	other := startGateway(t, m.orgA, nil)
	other.applyRoutes(t, m.routes)
	s := startService(t, m.a.inside, other.inside)

	var done, failed atomic.Int64
	var last atomic.Value
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				conn, err := call(s.ln.Addr().String(), nodeA, m.orgA)
				if err == nil {
					err = echoes(conn)
					conn.Close()
				}
				if err != nil {
					failed.Add(1)
					last.Store(err.Error())
				}
				done.Add(1)
			}
		})
	}
	more := func(what string) {
		from := done.Load()
		eventually(t, what, func() bool { return done.Load() >= from+40 })
	}
	more("requests go by both")
	stopped := m.a.draining(t, noticed)
	more("requests go on while the cluster does not know yet")
	s.remove(m.a.inside)
	more("requests go on by the other one")
	eventually(t, "the one that was stopped accepts nobody", func() bool {
		clock.Step(time.Second)
		c, err := net.Dial("tcp", m.a.inside)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	more("requests go on after that")
	close(stop)
	load.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed, last: %v", failed.Load(), done.Load(), last.Load())
	}
	eventually(t, "it has ended", func() bool {
		clock.Step(time.Second)
		select {
		case err := <-stopped:
			must(t, err)
			return true
		default:
			return false
		}
	})
}
