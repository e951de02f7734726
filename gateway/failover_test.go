package gateway

import (
	"errors"
	"os"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// metric sums a metric's values over all but the labels given.
func (p *testGateway) metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	families, err := p.metrics.registry.Gather()
	must(t, err)
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if matches(m, labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func matches(m *dto.Metric, labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		found := false
		for _, l := range m.GetLabel() {
			found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}

func TestDialFallsOverAtOnce(t *testing.T) {
	m := join(t, func(o *Options) { o.LineDialTimeout = testTimeout }, nil) // which a refused line does not wait for
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	m.a.waitFor(t, "l2", v1alpha1.LineUp)
	m.w1.unplug() // nobody has noticed yet
	started := time.Now()
	conn, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
	if took := time.Since(started); took >= testTimeout {
		t.Errorf("a refused line cost %v", took)
	}
	// By the connection that went over, or by the probe, if that was the first to notice.
	eventually(t, "a failover is counted", func() bool { return m.a.metric(t, "hanse_line_failovers_total") > 0 })
	m.a.waitFor(t, "l1", v1alpha1.LineDown)
}

func TestStreamLeavesBlackHole(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	m.a.waitFor(t, "l2", v1alpha1.LineUp)
	conn, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
	if r := m.a.memory.reported("l1"); !r.Active {
		t.Errorf("l1 has the lower priority number and is up, but is not active: %+v", r)
	}

	started := time.Now()
	m.w1.blackhole()
	must(t, conn.SetReadDeadline(started.Add(testTimeout)))
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the stream goes on over a dead line after %v", testTimeout)
	}
	t.Logf("the stream was closed %v after the cut", time.Since(started))
	again, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer again.Close()
	must(t, echoes(again))
	eventually(t, "l2 is active", func() bool { return m.a.memory.reported("l2").Active && !m.a.memory.reported("l1").Active })
	if r := m.a.memory.reported("l1"); r.Detail == "" || r.Reason != v1alpha1.LineUnreachable || r.State != v1alpha1.LineDown {
		t.Errorf("the report does not say what is wrong: %+v", r)
	}

	m.w1.unplug()
	m.w1.restore()
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	must(t, echoes(again)) // what runs over the second line stays there
}

func TestStreamStaysWithoutAlternative(t *testing.T) {
	m := join(t, nil, nil)
	alone := m.routes
	alone.Lines = alone.Lines[:1]
	m.a.applyRoutes(t, alone)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	conn, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
	m.w1.blackhole()
	m.a.waitFor(t, "l1", v1alpha1.LineDown)
	if n := m.a.metric(t, "hanse_gateway_connections", "direction", "outward"); n != 1 {
		t.Errorf("%v connections, want the one that has nowhere else to go", n)
	}
}

func TestLineThatIsTakenAwayCarriesNothing(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	conn, err := call(m.a.inside, nodeB, m.orgB)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
	less := m.routes
	less.Lines = less.Lines[1:]
	m.a.applyRoutes(t, less)
	// The routes hold a moment before what they no longer allow is closed.
	eventually(t, "the stream over a line that is no longer there has ended", func() bool { return echoes(conn) != nil })
}

func TestReverseStateIsReported(t *testing.T) {
	m := join(t, nil, nil)
	eventually(t, "b's view of l1 is known at a", func() bool { return m.a.memory.reported("l1").Reverse == v1alpha1.LineUp })
	m.back.unplug()
	eventually(t, "a knows that b does not reach it", func() bool { return m.a.memory.reported("l1").Reverse == v1alpha1.LineDown })
	eventually(t, "from a to b the line is up all the same", func() bool {
		r := m.a.memory.reported("l1")
		return r.State == v1alpha1.LineUp && r.Reverse == v1alpha1.LineDown
	})
	// b has no line of the name l2 and says so.
	if r := m.a.memory.reported("l2"); r.Reverse != v1alpha1.LineUnknown {
		t.Errorf("the reverse of a line that b does not know is %s", r.Reverse)
	}
}

func TestLocalNameFromInside(t *testing.T) {
	m := join(t, nil, nil)
	conn, err := call(m.a.inside, nodeA, m.orgA)
	must(t, err)
	defer conn.Close()
	must(t, echoes(conn))
	if n := m.a.metric(t, "hanse_gateway_connections", "direction", "within"); n != 1 {
		t.Errorf("%v connections within, want 1", n)
	}
	if n := m.a.metric(t, "hanse_gateway_bytes_total", "direction", "within"); n < 500 {
		t.Errorf("%v bytes counted of a connection that is open", n)
	}
}

func TestLinesNeverRelay(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	if conn, err := call(m.a.line, nodeB, m.orgB); err == nil {
		conn.Close()
		t.Fatal("a connection from a line was passed on to another line")
	}
	if n := m.a.metric(t, "hanse_gateway_refused_total", "reason", rejectedUnknownSNI); n != 1 {
		t.Errorf("%v refusals counted, want 1", n)
	}
}
