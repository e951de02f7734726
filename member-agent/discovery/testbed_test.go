package discovery

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/leak"
	"github.com/hanse-io/hanse/statement"
)

// TestMain checks that nothing goes on once every agent has stopped. memberlist may need a moment for that: a probe
// that is under way ends with its own deadline.
func TestMain(m *testing.M) { leak.Main(m) }

const trade = "trade"

// testbed is a number of agents on the loopback, and a table of where their names lead, which stands for the gateways.
type testbed struct {
	t      testing.TB
	mu     sync.Mutex
	routes map[string]string
	agents map[string]*agent
	orgs   []*organization
	// disconnected are from whom the line to what name is cut.
	disconnected map[[2]string]bool
	traffic      traffic
}

type agent struct {
	*Discovery
	org     *organization
	metrics *prometheus.Registry
	changed chan struct{}
	stop    func()
	// kept is what the agent's own store holds, received what it was handed; by key.
	kept, received sync.Map
}

func newTestbed(t testing.TB, n int) *testbed {
	f := &testbed{t: t, routes: map[string]string{}, agents: map[string]*agent{}, disconnected: map[[2]string]bool{}}
	for i := range n {
		f.orgs = append(f.orgs, newOrganization(t, fmt.Sprintf("org%d", i+1)))
	}
	return f
}

func (f *testbed) group(consortium string) Group {
	r := Group{Consortium: consortium}
	for _, o := range f.orgs {
		r.Members = append(r.Members, o.peer())
	}
	return r
}

func (f *testbed) dial(ctx context.Context, serverName string) (net.Conn, error) {
	f.mu.Lock()
	address := f.routes[serverName]
	f.mu.Unlock()
	if address == "" {
		return nil, fmt.Errorf("no route to %s", serverName)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

// disconnect takes the line between two members away, or gives it back.
func (f *testbed) disconnect(one, other string, disconnect bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disconnected[[2]string{one, v1alpha1.AgentServerName(other)}] = disconnect
	f.disconnected[[2]string{other, v1alpha1.AgentServerName(one)}] = disconnect
}

func (f *testbed) isDisconnected(from, serverName string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.disconnected[[2]string{from, serverName}]
}

func (f *testbed) route(member, address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routes[v1alpha1.AgentServerName(member)] = address
}

// start runs the agent of an organization, or runs it again.
func (f *testbed) start(o *organization, groups ...Group) *agent {
	f.t.Helper()
	return f.startWith(o, o.certificate, groups...)
}

func (f *testbed) startWith(o *organization, certificate func() (*tls.Certificate, error), groups ...Group) *agent {
	f.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.route(o.name, listener.Addr().String())
	a := &agent{org: o, metrics: prometheus.NewRegistry(), changed: make(chan struct{}, 1)}
	a.Discovery, err = New(Options{
		Member: o.name, Listener: listener, Dial: f.traffic.count(f.dialler(o.name)), Certificate: certificate, Metrics: a.metrics,
		Changed:  func(string) { a.signalChanged() },
		Received: func(_ string, s v1alpha1.StatementSpec) { a.received.Store(statement.KeyOf(&s), s) },
		Load: func(_ context.Context, _ string, key statement.Key) *v1alpha1.StatementSpec {
			if s, ok := a.kept.Load(key); ok {
				kept := s.(v1alpha1.StatementSpec)
				return &kept
			}
			return nil
		},
		Log: f.log(),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := a.SetGroups(groups); err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	a.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Errorf("agent of %s: %v", o.name, err)
		}
	})
	f.t.Cleanup(a.stop)
	f.agents[o.name] = a
	return a
}

func (f *testbed) log() logr.Logger {
	if t, ok := f.t.(*testing.T); ok {
		return testr.NewWithOptions(t, testr.Options{Verbosity: -1})
	}
	return logr.Discard()
}

func (a *agent) signalChanged() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// startAll runs everybody, each with a record of its own.
func (f *testbed) startAll() {
	f.t.Helper()
	for _, o := range f.orgs {
		f.start(o, f.group(trade))
	}
	for _, o := range f.orgs {
		if err := f.agents[o.name].Publish(trade, o.record(f.t, trade, 1)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// testTimeout is how long anything may take on a machine that is busy with other tests too; nothing is right or wrong
// because it is slow.
const testTimeout = 3 * time.Minute

// eventually waits until it is so, and says how it is if it never is.
func (f *testbed) eventually(what string, so func() bool) time.Duration {
	f.t.Helper()
	began := time.Now()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		if time.Since(began) > testTimeout {
			f.t.Fatalf("after %s still not: %s\n%s", testTimeout, what, f)
		}
		<-ticker.C
	}
	return time.Since(began)
}

func (f *testbed) String() string {
	var b strings.Builder
	for _, o := range f.orgs {
		a := f.agents[o.name]
		if a == nil {
			continue
		}
		fmt.Fprintf(&b, "%s sees", o.name)
		for _, m := range a.View(trade).Members {
			fmt.Fprintf(&b, " %s:%v", m.Name, m.Online)
			if m.Record != nil {
				fmt.Fprintf(&b, "#%d", m.Record.Sequence)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// knows is whether an agent has that record of a member.
func (a *agent) knows(member string, sequence int64) bool {
	m, _ := a.View(trade).Member(member)
	return m.Record != nil && m.Record.Sequence == sequence
}

func (a *agent) online(member string) bool {
	m, _ := a.View(trade).Member(member)
	return m.Online
}

// complete is whether everybody is in contact with everybody and knows the first records.
func (f *testbed) complete() bool {
	for _, a := range f.agents {
		for _, o := range f.orgs {
			m, _ := a.View(trade).Member(o.name)
			if !m.Online || m.Record == nil {
				return false
			}
		}
	}
	return true
}

// rejected is how often an agent has rejected a record for that reason.
func (a *agent) rejected(t testing.TB, reason string) float64 {
	return a.counter(t, "hanse_gossip_statements_rejected_total", reason)
}

func (a *agent) counter(t testing.TB, name, label string) float64 {
	t.Helper()
	if m := a.metric(t, name, label); m != nil {
		return m.GetCounter().GetValue()
	}
	return 0
}

// gauge is the number of members in that state; -1 if nothing is said of it.
func (a *agent) gauge(t testing.TB, state string) float64 {
	t.Helper()
	if m := a.metric(t, "hanse_gossip_members", state); m != nil {
		return m.GetGauge().GetValue()
	}
	return -1
}

func (a *agent) metric(t testing.TB, name, label string) *dto.Metric {
	t.Helper()
	families, err := a.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := m.GetLabel()
			if family.GetName() == name && labels[len(labels)-1].GetValue() == label {
				return m
			}
		}
	}
	return nil
}

// gossipAlive is whether the group says that a member is alive.
func (a *agent) gossipAlive(member string) bool { return a.group(trade).gossip.isAlive(member) }
