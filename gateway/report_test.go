package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
)

// reportTime is the time in a report.
func reportTime(t *testing.T, text string) time.Time {
	t.Helper()
	var r routing.Report[LineReport]
	must(t, json.Unmarshal([]byte(text), &r))
	return r.Time
}

// TestReportIsRenewed: with nothing new to report, a gateway shows that it is still there, often enough for its report to
// count, and no more often.
func TestReportIsRenewed(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	p := startGateway(t, newOrganization(t, "a"), func(o *Options) { o.Clock = clock })
	p.applyRoutes(t, routing.Routes{Member: "a", Lines: []routing.Line{{Name: "l1", Member: "b", Address: "127.0.0.1", Port: 1}}})
	next := func(after int) (text string) {
		eventually(t, "another report", func() bool {
			clock.Step(time.Second)
			var writes int
			text, writes = p.memory.latest()
			return writes > after
		})
		return text
	}
	first := next(0)
	merged, err := routing.MergeReports(map[string]string{routing.ReportKey("gateway-x"): first}, clock.Now())
	if err != nil || len(merged.Lines) != 1 || merged.Lines[0].Name != "l1" || merged.Lines[0].State != v1alpha1.LineUnknown {
		t.Fatalf("the agent reads %+v, %v of %s", merged, err, first)
	}
	last := reportTime(t, first)
	for i := 1; i < 4; i++ {
		at := reportTime(t, next(i))
		if apart := at.Sub(last); apart < routing.ReportInterval {
			t.Errorf("two reports with nothing new are %v apart, want %v at least", apart, routing.ReportInterval)
		}
		last = at
	}
}

// TestReportIsWithdrawn: a gateway that ends takes its word back, so that nobody waits for it to expire.
func TestReportIsWithdrawn(t *testing.T) {
	m := join(t, nil, nil)
	m.a.waitFor(t, "l1", v1alpha1.LineUp)
	must(t, m.a.stop())
	if text, _ := m.a.memory.latest(); text != "" {
		t.Errorf("its report is still there: %s", text)
	}
}

// failingSink fails until it is told not to.
type failingSink struct {
	*memorySource
	works atomic.Bool
	tries atomic.Int32
}

func (s *failingSink) Report(ctx context.Context, text []byte) error {
	s.tries.Add(1)
	if !s.works.Load() {
		return errors.New("no API server")
	}
	return s.memorySource.Report(ctx, text)
}

func (s *failingSink) Withdraw(context.Context) error { return errors.New("no API server") }

// TestReportIsRetried: neither a report that fails nor one that cannot be withdrawn disturbs the gateway.
func TestReportIsRetried(t *testing.T) {
	sink := &failingSink{memorySource: newMemorySource()}
	p := startGateway(t, newOrganization(t, "a"), func(o *Options) { o.Sink = sink })
	p.applyRoutes(t, routing.Routes{Member: "a"})
	eventually(t, "it tries again", func() bool { return sink.tries.Load() > 1 })
	sink.works.Store(true)
	eventually(t, "the report is written", func() bool { text, _ := sink.latest(); return text != "" })
	must(t, p.stop())
}
