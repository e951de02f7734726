package line

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/line/health"
)

const (
	// reportCoalescing is how long a change waits for others to go with it.
	reportCoalescing = 50 * time.Millisecond
	// reportRefresh is how often round trips are told.
	reportRefresh = 10 * time.Second
	// reportRetry is how long a report that failed waits.
	reportRetry = time.Second
	// maxDetail is how long a report's detail may be.
	maxDetail = 1024
)

// reporter tells the agent how the lines are: a change at once, round trips now and then.
type reporter struct {
	g      *gateway
	change chan struct{}
	told   []Report
}

func newReporter(g *gateway) *reporter { return &reporter{g: g, change: make(chan struct{}, 1)} }

// soon asks for a report.
func (r *reporter) soon() {
	select {
	case r.change <- struct{}{}:
	default:
	}
}

func (r *reporter) run(ctx context.Context) {
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
			select { // what came meanwhile goes with it
			case <-r.change:
			default:
			}
		}
		retry = nil
		if err := r.tell(ctx); err != nil && ctx.Err() == nil {
			r.g.log.Warn("the lines' states cannot be reported; it is tried again", "error", err)
			retry = r.g.o.Clock.After(reportRetry)
		}
	}
}

func (r *reporter) tell(ctx context.Context) error {
	if !r.g.known.Load() {
		return nil // without routes there is nothing to say, and an empty report would erase the last one
	}
	if r.g.o.Reports != nil && !r.g.o.Reports() {
		r.told = nil // another gateway reports; should it fall to this one, everything is to be told
		return nil
	}
	reports := r.g.lineReports()
	if r.told != nil && !worthTelling(r.told, reports) {
		return nil
	}
	text, err := json.Marshal(reports)
	if err != nil {
		return fmt.Errorf("write the lines' reports as JSON: %w", err)
	}
	if err := r.g.o.Sink.Report(ctx, text); err != nil {
		return err
	}
	r.told = reports
	return nil
}

// lineReports is how the lines are now.
func (g *gateway) lineReports() []Report {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.table.Load().withStates(g.states)
	g.table.Store(t) // with the latest round trips, by which equal lines are chosen
	reports := make([]Report, 0, len(t.routes.Lines))
	for _, l := range t.routes.Lines {
		s, ok := g.states[l.Name]
		if !ok {
			s = unprobed(l, t.routes.Roots[l.Member] != "")
		}
		if s.State == v1alpha1.LineUp && g.limits.reached(l.Member, g.o.Clock.Now()) {
			s.Reason = v1alpha1.LineFull
			s.Message = "connections from the far member are refused because a limit of this gateway is reached: see gateway.limits of the chart, and what the member opens so many for"
		}
		active, up := t.active(l.Member)
		reports = append(reports, Report{
			LineReport: v1alpha1.LineReport{
				Name: l.Name, Member: l.Member, State: s.State, Reverse: s.Reverse,
				RTTMicroseconds: s.RTT.Microseconds(), Active: up && active == l.Name,
				Since: metav1.NewTime(s.Since.UTC().Truncate(time.Second)), Reason: g.coarse(s.Reason, l.Address),
			},
			Detail: truncated(s.Message, maxDetail),
		})
	}
	return reports
}

// unprobed is how a line is that nobody has tried.
func unprobed(l Line, rooted bool) health.Snapshot {
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

// coarse keeps from the host whether anything answers at an address that only it or another member has named.
func (g *gateway) coarse(reason v1alpha1.LineReason, address string) v1alpha1.LineReason {
	if reason == v1alpha1.LineNotAuthenticated && !g.o.access.explicit(address) {
		return v1alpha1.LineUnreachable
	}
	return reason
}

// worthTelling reports whether more has changed than that round trips wavered.
func worthTelling(told, now []Report) bool {
	if len(told) != len(now) {
		return true
	}
	for i, n := range now {
		t := told[i]
		if wavered(t.RTTMicroseconds, n.RTTMicroseconds) {
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

// wavered reports whether two round trips are within a fifth of each other, or within 200 µs.
func wavered(a, b int64) bool {
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
