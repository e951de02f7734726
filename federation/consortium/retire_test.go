package consortium

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

func TestPendingMembers(t *testing.T) {
	member := func(name string, online metav1.ConditionStatus) *v1alpha1.Member {
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}
		m.Status.Conditions = []metav1.Condition{{Type: v1alpha1.MemberOnline, Status: online}}
		return m
	}
	planned := func(member string, asked bool, retired metav1.ConditionStatus) v1alpha1.MemberPlan {
		p := v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: member, Retire: asked}}
		p.Status.Conditions = []metav1.Condition{{Type: v1alpha1.PlanRetired, Status: retired}}
		return p
	}
	members := map[string]*v1alpha1.Member{"here": member("here", metav1.ConditionTrue), "lost": member("lost", metav1.ConditionUnknown)}
	for _, c := range []struct {
		why     string
		abandon string
		plans   []v1alpha1.MemberPlan
		want    []string
	}{
		{"no plan, no Member to wait for", "", nil, nil},
		{"all are waited for, whether they can be reached or not", "", []v1alpha1.MemberPlan{planned("lost", true, ""), planned("here", true, "")}, []string{"here", "lost"}},
		{"one that has retired is done", "", []v1alpha1.MemberPlan{planned("lost", true, ""), planned("here", true, metav1.ConditionTrue)}, []string{"lost"}},
		{"one that was not asked to retire", "", []v1alpha1.MemberPlan{planned("here", false, metav1.ConditionTrue)}, []string{"here"}},
		{"one that has failed to retire", "", []v1alpha1.MemberPlan{planned("here", true, metav1.ConditionFalse)}, []string{"here"}},
		{"a deleted Member is not waited for", "", []v1alpha1.MemberPlan{planned("gone", true, "")}, nil},
		{"abandoned: only online Members are waited for", "true", []v1alpha1.MemberPlan{planned("lost", true, ""), planned("here", true, "")}, []string{"here"}},
		{"the annotation's value must be true", "yes", []v1alpha1.MemberPlan{planned("lost", true, "")}, []string{"lost"}},
	} {
		in := plan.Input{Consortium: &v1alpha1.Consortium{}, Members: members}
		in.Consortium.Annotations = map[string]string{v1alpha1.AnnotationAbandon: c.abandon}
		if got := pendingMembers(in, c.plans); !slices.Equal(got, c.want) {
			t.Errorf("%s: waits for %v, want %v", c.why, got, c.want)
		}
	}
}
