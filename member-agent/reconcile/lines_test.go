package reconcile

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestLineWatch: gateways write at intervals to show that they are there, and no plan is to be worked on for that.
func TestLineWatch(t *testing.T) {
	base := func() []v1alpha1.LineReport {
		return []v1alpha1.LineReport{{Name: "l", Member: "org2", State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp, RTTMicroseconds: 900, Since: metav1.Unix(1, 0)}}
	}
	for _, c := range []struct {
		why             string
		change          func([]v1alpha1.LineReport) []v1alpha1.LineReport
		changed, states bool
	}{
		{"a report that says the same", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { return l }, false, false},
		{"a round trip, which the host is told", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].RTTMicroseconds = 5; return l }, true, false},
		{"since when, after a gateway was replaced", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].Since = metav1.Unix(2, 0); return l }, true, false},
		{"which line carries the traffic", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].Active = true; return l }, true, false},
		{"a state", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].State = v1alpha1.LineDown; return l }, true, true},
		{"the way back", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].Reverse = v1alpha1.LineDown; return l }, true, true},
		{"a reason", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].Reason = v1alpha1.LineFull; return l }, true, true},
		{"another line", func(l []v1alpha1.LineReport) []v1alpha1.LineReport { l[0].Name = "m"; return l }, true, true},
		{"no gateway any more", func([]v1alpha1.LineReport) []v1alpha1.LineReport { return nil }, true, true},
	} {
		t.Run(c.why, func(t *testing.T) {
			var w lineWatch
			if changed, states := w.update(base()); !changed || !states {
				t.Fatal("the first report says nothing new")
			}
			if changed, states := w.update(c.change(base())); changed != c.changed || states != c.states {
				t.Errorf("changed %v, states %v", changed, states)
			}
			if changed, _ := w.update(c.change(base())); changed {
				t.Error("it has changed again")
			}
		})
	}
}

func TestRequeueBefore(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		why     string
		expires time.Time
		want    time.Duration
	}{
		{"no report can expire", time.Time{}, requeueReady},
		{"just after the first report does", now.Add(40 * time.Second), 41 * time.Second},
		{"one that does this moment", now, time.Second},
		{"one that has", now.Add(-time.Hour), time.Second},
		{"one by a clock that is far ahead", now.Add(time.Hour), requeueReady},
	} {
		if got := requeueBefore(c.expires, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}

// TestReachedMembers: one state for each other member, which the condition and the host both go by.
func TestReachedMembers(t *testing.T) {
	const up, down, unknown = v1alpha1.LineUp, v1alpha1.LineDown, v1alpha1.LineUnknown
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
		Member:  "org1",
		Members: []v1alpha1.PlanMember{{Name: "org3"}, {Name: "org1"}, {Name: "org2"}},
		Lines:   []v1alpha1.PlanLine{{Name: "a", Member: "org2"}, {Name: "b", Member: "org2"}},
	}}
	a := v1alpha1.LineReport{Name: "a", Member: "org2", State: up, Reverse: up}
	line := func(change func(*v1alpha1.LineReport)) v1alpha1.LineReport {
		l := a
		l.Name = "b"
		change(&l)
		return l
	}
	for _, c := range []struct {
		why   string
		lines []v1alpha1.LineReport
		want  v1alpha1.PlanLineStatus
	}{
		{"no gateway has tried it", nil, v1alpha1.PlanLineStatus{Member: "org2", State: unknown, Reverse: unknown}},
		{"one line", []v1alpha1.LineReport{a}, v1alpha1.PlanLineStatus{Member: "org2", Line: "a", State: up, Reverse: up}},
		{
			"the better of two", []v1alpha1.LineReport{line(func(l *v1alpha1.LineReport) { l.State, l.Reverse, l.Reason = down, unknown, v1alpha1.LineUnreachable }), a},
			v1alpha1.PlanLineStatus{Member: "org2", Line: "a", State: up, Reverse: up},
		},
		{
			"of equal ones the first", []v1alpha1.LineReport{a, line(func(*v1alpha1.LineReport) {})},
			v1alpha1.PlanLineStatus{Member: "org2", Line: "a", State: up, Reverse: up},
		},
		{
			"there by one line and back by another",
			[]v1alpha1.LineReport{line(func(l *v1alpha1.LineReport) { l.Reverse = down }), line(func(l *v1alpha1.LineReport) { l.Name, l.State, l.Reason = "c", down, v1alpha1.LineUnreachable })},
			v1alpha1.PlanLineStatus{Member: "org2", Line: "b", State: up, Reverse: up},
		},
		{
			"why it is down", []v1alpha1.LineReport{line(func(l *v1alpha1.LineReport) { l.State, l.Reverse, l.Reason = down, unknown, v1alpha1.LineNotAllowed })},
			v1alpha1.PlanLineStatus{Member: "org2", Line: "b", State: down, Reverse: unknown, Reason: v1alpha1.LineNotAllowed},
		},
	} {
		t.Run(c.why, func(t *testing.T) {
			lines := append([]v1alpha1.LineReport{{Name: "x", Member: "outsider", State: up}, {Name: "y", Member: "org3", State: up}}, c.lines...)
			got := reachedMembers(plan, lines)
			if len(got) != 1 || got[0] != c.want { // org3 has no line in the plan, the outsider has no part in it
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	plan.Spec.Lines = append(plan.Spec.Lines, v1alpha1.PlanLine{Name: "y", Member: "org3"})
	if got := reachedMembers(plan, nil); len(got) != 2 || got[0].Member != "org2" || got[1].Member != "org3" {
		t.Errorf("not sorted by member: %+v", got)
	}
}
