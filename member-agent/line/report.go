package line

import (
	"context"
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
	// maxMessage is how long the API lets a report's message be.
	maxMessage = 1024
)

// reporter tells the agent how the lines are: a change at once, round trips now and then.
type reporter struct {
	g      *gateway
	change chan struct{}
	told   []v1alpha1.LineReport
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
	reports := r.g.lineReports()
	if r.told != nil && !worthTelling(r.told, reports) {
		return nil
	}
	if err := r.g.o.Sink.Report(ctx, reports); err != nil {
		return err
	}
	r.told = reports
	return nil
}

// lineReports is how the lines are now.
func (g *gateway) lineReports() []v1alpha1.LineReport {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.table.Load().withStates(g.states)
	g.table.Store(t) // with the latest round trips, by which equal lines are chosen
	reports := make([]v1alpha1.LineReport, 0, len(t.routes.Lines))
	for _, l := range t.routes.Lines {
		s, ok := g.states[l.Name]
		if !ok {
			s = health.Snapshot{
				State: v1alpha1.LineUnknown, Reverse: v1alpha1.LineUnknown,
				Message: "the line is not probed yet: the root of member " + l.Member + " is not known here",
			}
			if t.routes.Roots[l.Member] != "" {
				s.Message = "the line has not been probed yet"
			}
		}
		active, up := t.active(l.Member)
		reports = append(reports, v1alpha1.LineReport{
			Name: l.Name, Member: l.Member, State: s.State, Reverse: s.Reverse,
			RTTMicroseconds: s.RTT.Microseconds(), Active: up && active == l.Name,
			Since: metav1.NewTime(s.Since.UTC().Truncate(time.Second)), Message: truncated(s.Message, maxMessage),
		})
	}
	return reports
}

// worthTelling reports whether more has changed than that round trips wavered.
func worthTelling(told, now []v1alpha1.LineReport) bool {
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
