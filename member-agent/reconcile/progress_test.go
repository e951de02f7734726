package reconcile

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestFinalizeConditions(t *testing.T) {
	all := func(p *planProgress) {
		for _, step := range phaseOrder {
			p.setTrue(step.condition, "")
		}
	}
	for _, row := range []struct {
		why    string
		set    func(*planProgress)
		phase  string
		ready  metav1.ConditionStatus
		reason string
	}{
		{"everything is done", all, "Ready", metav1.ConditionTrue, v1alpha1.ReasonReady},
		{"nothing was looked at: nobody can tell", func(*planProgress) {}, "Trust", metav1.ConditionUnknown, v1alpha1.ReasonWaiting},
		{"the first step that is not done gives the phase and the message", func(p *planProgress) {
			all(p)
			p.setFalse(v1alpha1.PlanNodesReady, v1alpha1.ReasonImagePull, "x")
			p.setWaiting(v1alpha1.PlanChannelsReady, "y")
		}, "Nodes", metav1.ConditionFalse, v1alpha1.ReasonImagePull},
		{"lines that nobody knows of are Unknown, not False", func(p *planProgress) {
			all(p)
			p.set(v1alpha1.PlanLinesReady, metav1.ConditionUnknown, v1alpha1.ReasonWaiting, "")
		}, "Lines", metav1.ConditionUnknown, v1alpha1.ReasonWaiting},
		{"what is known to be missing weighs more than what nobody knows", func(p *planProgress) {
			all(p)
			p.set(v1alpha1.PlanLinesReady, metav1.ConditionUnknown, v1alpha1.ReasonWaiting, "")
			p.setFalse(v1alpha1.PlanContractsReady, v1alpha1.ReasonFailed, "x")
		}, "Lines", metav1.ConditionFalse, v1alpha1.ReasonFailed},
	} {
		t.Run(row.why, func(t *testing.T) {
			p := newProgress(&v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Generation: 2}})
			row.set(p)
			p.finalizeConditions()
			ready := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
			if p.status.Phase != row.phase || ready.Status != row.ready || ready.Reason != row.reason {
				t.Errorf("phase %s, Ready %s %s (%s)", p.status.Phase, ready.Status, ready.Reason, ready.Message)
			}
			if p.status.ObservedGeneration != 2 || ready.ObservedGeneration != 2 {
				t.Errorf("generation %d, of Ready %d", p.status.ObservedGeneration, ready.ObservedGeneration)
			}
		})
	}
}

// A condition about an older plan says nothing about this one.
func TestFinalizeConditionsIgnoresOlderPlans(t *testing.T) {
	old := &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Status: v1alpha1.MemberPlanStatus{Conditions: []metav1.Condition{
		{Type: v1alpha1.PlanChannelsReady, Status: metav1.ConditionTrue, ObservedGeneration: 1},
	}}}
	p := newProgress(old)
	p.finalizeConditions()
	if c := meta.FindStatusCondition(p.status.Conditions, v1alpha1.PlanChannelsReady); c.Status != metav1.ConditionUnknown {
		t.Errorf("got %s", c.Status)
	}
}

func TestShortened(t *testing.T) {
	long := v1alpha1.Shorten(strings.Repeat("ä\n", 2000))
	if len(long) > 1027 || !utf8.ValidString(long) || strings.Contains(long, "\n") {
		t.Errorf("%d bytes, valid %v", len(long), utf8.ValidString(long))
	}
	if got := v1alpha1.Shorten("two\nlines"); got != "two lines" {
		t.Errorf("got %q", got)
	}
}

func TestValidateTarget(t *testing.T) {
	plan := func(name, member, consortium, namespace string) *v1alpha1.MemberPlan {
		return &v1alpha1.MemberPlan{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       v1alpha1.MemberPlanSpec{Member: member, Consortium: consortium, Namespace: namespace},
		}
	}
	for _, row := range []struct {
		why  string
		plan *v1alpha1.MemberPlan
		fine bool
	}{
		{"a plan as it should be", plan("trade", "org1", "trade", "hanse-trade"), true},
		{"a plan for another member", plan("trade", "org2", "trade", "hanse-trade"), false},
		{"a plan that goes under another consortium's name", plan("trade", "org1", "fish", "hanse-fish"), false},
		{"a plan that reaches for a namespace that is not the consortium's", plan("trade", "org1", "trade", "kube-system"), false},
		{"a plan that reaches for the agent's own namespace", plan("system", "org1", "system", "hanse-system"), false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if why := validateTarget(row.plan, "org1"); (why == "") != row.fine {
				t.Errorf("got %q", why)
			}
		})
	}
}

func TestRequeueAfter(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		why    string
		status metav1.ConditionStatus
		after  time.Duration
		want   time.Duration
	}{
		{"nothing is known yet", "", 0, requeueNotReady},
		{"it has just begun", metav1.ConditionFalse, time.Second, requeueNotReady},
		{"the clock went back", metav1.ConditionFalse, -time.Hour, requeueNotReady},
		{"it has waited for two minutes", metav1.ConditionFalse, 2 * time.Minute, 30 * time.Second},
		{"nobody knows for two minutes", metav1.ConditionUnknown, 2 * time.Minute, 30 * time.Second},
		{"it has waited for a day", metav1.ConditionFalse, 24 * time.Hour, requeueStalled},
		{"it is ready", metav1.ConditionTrue, time.Second, requeueReady},
		{"it has become ready", metav1.ConditionTrue, 0, requeueNotReady},
	} {
		p := &planProgress{plan: &v1alpha1.MemberPlan{}}
		if c.status != "" {
			p.status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: c.status, LastTransitionTime: metav1.NewTime(start)}}
		}
		if c.after > 0 {
			p.plan.Status = p.status
		}
		if got := p.requeueAfter(start.Add(c.after)); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}
