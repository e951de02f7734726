package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
	"github.com/hanse-io/hanse/internal/routing"
)

func TestCandidates(t *testing.T) {
	type l struct {
		name     string
		priority int32
		state    v1alpha1.LineState
		rtt      time.Duration
	}
	const up, down, unknown = v1alpha1.LineUp, v1alpha1.LineDown, v1alpha1.LineUnknown
	for _, c := range []struct {
		why    string
		lines  []l
		want   string
		active string
	}{
		{"no line", nil, "", ""},
		{"the lowest priority number first", []l{{"a", 20, up, 1}, {"b", 10, up, 9}}, "b a", "b"},
		{"equal ones by round trip", []l{{"a", 10, up, 9}, {"b", 10, up, 1}}, "b a", "b"},
		{"then by name", []l{{"b", 10, up, 1}, {"a", 10, up, 1}}, "a b", "a"},
		{"a line that is down is passed over", []l{{"a", 10, down, 0}, {"b", 20, up, 1}}, "b", "b"},
		{"an unknown one comes after all that are up", []l{{"a", 10, unknown, 0}, {"b", 20, up, 1}}, "b a", "b"},
		{"none is up: the unknown ones in order", []l{{"b", 20, unknown, 0}, {"a", 10, unknown, 0}, {"c", 5, down, 0}}, "a b", ""},
		{"all are down: the best one alone", []l{{"b", 20, down, 0}, {"a", 10, down, 0}}, "a", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			r, states := routing.Routes{}, map[string]health.Snapshot{}
			for _, l := range c.lines {
				r.Lines = append(r.Lines, routing.Line{Name: l.name, Member: "m", Priority: l.priority})
				states[l.name] = health.Snapshot{State: l.state, RTT: l.rtt}
			}
			table := newTable(r, states)
			var names []string
			for _, w := range table.candidates("m") {
				names = append(names, w.Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("tried are %q, want %q", got, c.want)
			}
			if active, _ := table.active("m"); active != c.active {
				t.Errorf("active is %q, want %q", active, c.active)
			}
		})
	}
}

func TestMemberOf(t *testing.T) {
	for name, want := range map[string]string{
		"gateway.org1.hanse": "org1", "agent.org-2.hanse": "org-2",
		"peer0.org1.hanse": "", "gateway.a.b.hanse": "", "gateway..hanse": "", "gateway.org1.hanse.evil": "",
		"gateway.org1": "", "": "", "gateway.ORG1.hanse": "", "*.org1.hanse": "",
	} {
		if got, ok := memberOf(name); got != want && ok || ok != (want != "") {
			t.Errorf("%q: %q, %v", name, got, ok)
		}
	}
}

func TestShouldReport(t *testing.T) {
	base := LineReport{LineReport: v1alpha1.LineReport{Name: "l", Member: "m", State: v1alpha1.LineUp, RTTMicroseconds: 20000}}
	for _, c := range []struct {
		why    string
		change func(*LineReport)
		want   bool
	}{
		{"nothing", func(*LineReport) {}, false},
		{"a round trip that wavers", func(l *LineReport) { l.RTTMicroseconds = 22000 }, false},
		{"a round trip that is another one", func(l *LineReport) { l.RTTMicroseconds = 40000 }, true},
		{"the state", func(l *LineReport) { l.State = v1alpha1.LineDown }, true},
		{"the active line", func(l *LineReport) { l.Active = true }, true},
		{"the far end's view", func(l *LineReport) { l.Reverse = v1alpha1.LineUp }, true},
		{"the reason", func(l *LineReport) { l.Reason = v1alpha1.LineFull }, true},
		{"the detail", func(l *LineReport) { l.Detail = "cut" }, true},
	} {
		now := base
		c.change(&now)
		if got := shouldReport([]LineReport{base}, []LineReport{now}); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
	if !shouldReport(nil, []LineReport{base}) {
		t.Error("a new line is not worth telling")
	}
}
