package host

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestReport(t *testing.T) {
	plan := func(generation, observed int64) *v1alpha1.MemberPlan {
		return &v1alpha1.MemberPlan{
			ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: generation},
			Status:     v1alpha1.MemberPlanStatus{ObservedGeneration: observed},
		}
	}
	mirror := func(generation, observed int64, uid, host string) *v1alpha1.MemberPlan {
		return &v1alpha1.MemberPlan{
			ObjectMeta: metav1.ObjectMeta{Generation: generation, Annotations: map[string]string{AnnotationHostUID: uid, AnnotationHostGeneration: host}},
			Status: v1alpha1.MemberPlanStatus{ObservedGeneration: observed, Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionReady, ObservedGeneration: observed},
			}},
		}
	}
	for _, row := range []struct {
		why          string
		plan, mirror *v1alpha1.MemberPlan
		reported     bool
		want         int64
	}{
		{"the status is about the mirror as it is: the host's generation is known", plan(7, 6), mirror(3, 3, "u", "7"), true, 7},
		{"the status is about an older mirror: what was reported before still holds", plan(7, 6), mirror(3, 2, "u", "7"), true, 6},
		{"the host has a newer plan that is not mirrored yet", plan(8, 6), mirror(3, 3, "u", "7"), true, 7},
		{"nobody has worked on the mirror yet", plan(7, 0), mirror(1, 0, "u", "7"), false, 0},
		{"the plan was made anew: the status is about another one", plan(1, 0), mirror(3, 3, "before", "7"), false, 0},
		{"a mirror without a generation is not one of ours", plan(1, 0), mirror(3, 3, "u", ""), false, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			status, ok := Report(row.plan, row.mirror)
			if ok != row.reported || status.ObservedGeneration != row.want {
				t.Fatalf("reported %v, generation %d", ok, status.ObservedGeneration)
			}
			if ok && status.Conditions[0].ObservedGeneration != row.want {
				t.Errorf("the condition has generation %d", status.Conditions[0].ObservedGeneration)
			}
		})
	}
}

func TestMirrorIsCurrent(t *testing.T) {
	plan := &v1alpha1.MemberPlan{
		ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-member-org1", Name: "trade", UID: "u", Generation: 4},
		Spec:       v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade"},
	}
	mirror := Mirror(plan, "hanse-system")
	if !current(plan, mirror) || mirror.Namespace != "hanse-system" {
		t.Fatalf("a fresh mirror is not current: %+v", mirror)
	}
	edited := mirror.DeepCopy()
	edited.Spec.Retire = true
	if current(plan, edited) {
		t.Error("a mirror that somebody has edited counts as current")
	}
	again := plan.DeepCopy()
	again.UID = "v"
	if current(again, mirror) {
		t.Error("the mirror of a plan that was deleted and made anew counts as current")
	}
}

func TestShouldReport(t *testing.T) {
	facts := func(state v1alpha1.LineState, rtt int64) Facts {
		return Facts{Root: "r", Lines: []v1alpha1.LineReport{{Name: "a", State: state, RTTMicroseconds: rtt}}}
	}
	base := facts(v1alpha1.LineUp, 1000)
	for _, row := range []struct {
		why  string
		last *Facts
		next Facts
		age  time.Duration
		want bool
	}{
		{"nothing was reported yet", nil, base, 0, true},
		{"nothing has changed", &base, base, time.Hour, false},
		{"a line went down: at once", &base, facts(v1alpha1.LineDown, 1000), time.Millisecond, true},
		{"a little jitter is not worth a write", &base, facts(v1alpha1.LineUp, 1200), time.Hour, false},
		{"a slower line is", &base, facts(v1alpha1.LineUp, 1300), time.Hour, true},
		{"but not twice a minute", &base, facts(v1alpha1.LineUp, 9000), 59 * time.Second, false},
		{"a line went away", &base, Facts{Root: "r"}, time.Millisecond, true},
		{"a first round trip was measured", ptrTo(facts(v1alpha1.LineUp, 0)), facts(v1alpha1.LineUp, 10), time.Hour, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			if got := shouldReport(row.last, row.next, row.age); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func ptrTo[T any](v T) *T { return &v }
