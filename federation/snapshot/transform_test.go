package snapshot

import (
	"strings"
	"testing"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// decodedPlan shares no memory with another one, as if it were decoded.
func decodedPlan() *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{
		Spec: v1alpha1.MemberPlanSpec{Members: []v1alpha1.PlanMember{{
			Name: strings.Clone("org1"), Role: v1alpha1.RoleLeader, Root: strings.Clone("root of org1"),
			Nodes: []v1alpha1.PlanMemberNode{{Name: strings.Clone("peer0-org1"), Role: v1alpha1.RolePeer, Port: 7051}},
		}}},
		Status: v1alpha1.MemberPlanStatus{Conditions: []metav1.Condition{{Type: v1alpha1.PlanTrusted, Message: strings.Clone("all roots match")}}},
	}
}

func TestSharePlan(t *testing.T) {
	var shared []*v1alpha1.MemberPlan
	for range 2 {
		plan := decodedPlan()
		plan.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "someone"}}
		got, err := SharePlan(plan)
		if err != nil {
			t.Fatal(err)
		}
		if !equality.Semantic.DeepEqual(got, decodedPlan()) {
			t.Errorf("it says something else: %+v", got)
		}
		shared = append(shared, plan)
	}
	for what, text := range map[string]func(*v1alpha1.MemberPlan) string{
		"the root":              func(p *v1alpha1.MemberPlan) string { return p.Spec.Members[0].Root },
		"a node's name":         func(p *v1alpha1.MemberPlan) string { return p.Spec.Members[0].Nodes[0].Name },
		"a condition's message": func(p *v1alpha1.MemberPlan) string { return p.Status.Conditions[0].Message },
	} {
		if unsafe.StringData(text(shared[0])) != unsafe.StringData(text(shared[1])) {
			t.Errorf("%s is in memory twice", what)
		}
	}
	if other, err := SharePlan("no plan"); err != nil || other != "no plan" {
		t.Errorf("another object: %v, %v", other, err)
	}
}
