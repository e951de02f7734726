package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/internal/routing"
)

const (
	// reportCoalescing is how long changes are merged into one report.
	reportCoalescing = 50 * time.Millisecond
	// reportRefresh is how often it is looked whether round trips have changed or a report is due.
	reportRefresh = routing.ReportInterval / 2
	// reportRetry is the retry interval of a failed report.
	reportRetry = time.Second
	// withdrawTimeout bounds the removal of the report at the end. Without it the report expires.
	withdrawTimeout = 3 * time.Second
	// maxDetail is how long a report's detail may be.
	maxDetail = 1024
)

// reporter reports the lines' states to the agent: changes at once, round trips at intervals, and at the latest after
// routing.ReportInterval that there is nothing new, by which a gateway that is gone is told apart. At the end it withdraws
// its report.
type reporter struct {
	g          *gateway
	change     chan struct{}
	lastReport []LineReport
	lastTime   time.Time
}

func newReporter(g *gateway) *reporter { return &reporter{g: g, change: make(chan struct{}, 1)} }

// trigger requests a report.
func (r *reporter) trigger() {
	select {
	case r.change <- struct{}{}:
	default:
	}
}

func (r *reporter) run(ctx context.Context) {
	defer r.withdraw(context.WithoutCancel(ctx))
	refresh := r.g.o.Clock.NewTicker(reportRefresh)
	defer refresh.Stop()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-refresh.C():
		case <-retry:
		case <-r.change:
			select {
			case <-ctx.Done():
				return
			case <-r.g.o.Clock.After(reportCoalescing):
			}
			select { // merge a change during the delay
			case <-r.change:
			default:
			}
		}
		retry = nil
		if err := r.send(ctx); err != nil && ctx.Err() == nil {
			r.g.log.Warn("the lines' states cannot be reported; will be retried", "error", err)
			retry = r.g.o.Clock.After(reportRetry)
		}
	}
}

func (r *reporter) send(ctx context.Context) error {
	if !r.g.hasRoutes.Load() {
		return nil // without routes an empty report would overwrite the last one
	}
	now, reports := r.g.o.Clock.Now(), r.g.lineReports()
	if now.Sub(r.lastTime) < routing.ReportInterval && !shouldReport(r.lastReport, reports) {
		return nil
	}
	text, err := json.Marshal(routing.Report[LineReport]{Time: now.UTC(), Lines: reports})
	if err != nil {
		return fmt.Errorf("write the lines' reports as JSON: %w", err)
	}
	if err := r.g.o.Sink.Report(ctx, text); err != nil {
		return err
	}
	r.lastReport, r.lastTime = reports, now
	return nil
}

// withdraw removes the report if there is one.
func (r *reporter) withdraw(ctx context.Context) {
	if r.lastTime.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, withdrawTimeout)
	defer cancel()
	if err := r.g.o.Sink.Withdraw(ctx); err != nil {
		r.g.log.Warn("the lines' report cannot be removed; it expires by itself", "error", err)
	}
}

// lineReports are the current reports of the lines.
func (g *gateway) lineReports() []LineReport {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.table.Load().withStates(g.states)
	g.table.Store(t) // with the latest round trips, by which lines are ordered
	reports := make([]LineReport, 0, len(t.routes.Lines))
	for _, l := range t.routes.Lines {
		s, ok := g.states[l.Name]
		if !ok {
			s = unprobedSnapshot(l, t.routes.Roots[l.Member] != "")
		}
		if s.State == v1alpha1.LineUp && g.limits.reached(l.Member, g.o.Clock.Now()) {
			s.Reason = v1alpha1.LineFull
			s.Message = "connections from the far member are rejected because a limit of this gateway is reached: see gateway.limits of the chart, and why the member opens so many"
		}
		active, up := t.active(l.Member)
		reports = append(reports, LineReport{
			LineReport: v1alpha1.LineReport{
				Name: l.Name, Member: l.Member, State: s.State, Reverse: s.Reverse,
				RTTMicroseconds: s.RTT.Microseconds(), Active: up && active == l.Name,
				Since: metav1.NewTime(s.Since.UTC().Truncate(time.Second)), Reason: g.publicReason(s.Reason, l.Address),
			},
			Detail: truncated(s.Message, maxDetail),
		})
	}
	return reports
}

// unprobedSnapshot is the state of a line that has not been probed.
func unprobedSnapshot(l routing.Line, rooted bool) health.Snapshot {
	s := health.Snapshot{State: v1alpha1.LineUnknown, Reverse: v1alpha1.LineUnknown, Reason: v1alpha1.LineNotProbed}
	switch {
	case l.Problem != "":
		s.State, s.Reason, s.Message = v1alpha1.LineDown, v1alpha1.LineNotAllowed, "the line's far end is not dialed: "+l.Problem
	case !rooted:
		s.Message = "the line is not probed yet: the root of member " + l.Member + " is not known here"
	default:
		s.Message = "the line has not been probed yet"
	}
	return s
}

// publicReason hides from the host whether anything answers at an address that only it or another member has named.
func (g *gateway) publicReason(reason v1alpha1.LineReason, address string) v1alpha1.LineReason {
	if reason == v1alpha1.LineNotAuthenticated && !g.o.access.explicit(address) {
		return v1alpha1.LineUnreachable
	}
	return reason
}

// shouldReport reports whether more has changed than round trips within tolerance.
func shouldReport(last, now []LineReport) bool {
	if len(last) != len(now) {
		return true
	}
	for i, n := range now {
		t := last[i]
		if withinTolerance(t.RTTMicroseconds, n.RTTMicroseconds) {
			t.RTTMicroseconds = n.RTTMicroseconds
		}
		if !t.Since.Equal(&n.Since) {
			return true
		}
		t.Since = n.Since
		if t != n {
			return true
		}
	}
	return false
}

// withinTolerance reports whether two round trips differ by a fifth or 200 µs at most.
func withinTolerance(a, b int64) bool {
	return a > 0 && b > 0 && max(a-b, b-a) <= max(a/5, 200)
}

func truncated(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 { // not within a rune
		n--
	}
	return s[:n]
}
