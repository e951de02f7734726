package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/internal/routing"
)

func TestNotReady(t *testing.T) {
	const up, down, unknown = v1alpha1.LineUp, v1alpha1.LineDown, v1alpha1.LineUnknown
	for _, row := range []struct {
		why    string
		states []v1alpha1.LineState
		after  time.Duration // since the first routes
		ready  bool
	}{
		{"without lines there is nothing to wait for", nil, 0, true},
		{"one line is not probed yet", []v1alpha1.LineState{up, unknown}, 0, false},
		{"all are", []v1alpha1.LineState{up, down}, 0, true},
		{"all lines are down: the own cluster is served all the same", []v1alpha1.LineState{down, down}, 0, true},
		{"a line of which nothing becomes known is not waited for for ever", []v1alpha1.LineState{unknown}, firstProbesTimeout, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(time.Unix(1000, 0))
			g := newGateway(Options{Clock: clock})
			if why := g.notReady(); !strings.Contains(why, routing.RoutesConfigMap) {
				t.Errorf("without routes: %q", why)
			}
			g.routesSince = clock.Now()
			g.hasRoutes.Store(true)
			for i, state := range row.states {
				g.states[string(rune('a'+i))] = health.Snapshot{State: state}
			}
			clock.Step(row.after)
			if why := g.notReady(); (why == "") != row.ready {
				t.Fatalf("%q", why)
			}
			if !row.ready {
				return
			}
			g.states["new"] = health.Snapshot{State: unknown}
			if why := g.notReady(); why != "" {
				t.Errorf("a line that is new to a gateway that was ready: %q", why)
			}
			g.stopping.Store(true)
			if why := g.notReady(); why == "" {
				t.Error("a gateway that is stopping is ready")
			}
		})
	}
}

// TestReadyBesideADeadLine: a new gateway whose best line is cut is ready once it knows that.
func TestReadyBesideADeadLine(t *testing.T) {
	orgA, orgB := newOrganization(t, "a"), newOrganization(t, "b")
	far := startGateway(t, orgB, nil)
	roots := map[string]string{"a": orgA.root, "b": orgB.root}
	far.applyRoutes(t, routing.Routes{Member: "b", Roots: roots})
	cut, whole := newTestLine(t, far.line), newTestLine(t, far.line)
	cut.blackhole()
	p := startGateway(t, orgA, nil)
	p.applyRoutes(t, routing.Routes{Member: "a", Roots: roots, Lines: []routing.Line{cut.line("l1", "b", 1), whole.line("l2", "b", 2)}})
	eventually(t, "it is ready", func() bool {
		status, body := get(t, p, "/readyz")
		if status != http.StatusOK && !strings.Contains(body, "for the first time") {
			t.Errorf("%d %s", status, body)
		}
		return status == http.StatusOK
	})
	if active, ok := p.table.Load().active("b"); !ok || active != "l2" {
		t.Errorf("ready, and connections go over %q", active)
	}
}
