package reconcile

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

func TestDroppedMembers(t *testing.T) {
	plan := &v1alpha1.MemberPlan{}
	plan.Spec.Members = []v1alpha1.PlanMember{{Name: "org1"}, {Name: "org2"}, {Name: "org3"}}
	for _, row := range []struct {
		why, before string
		known, want []string
	}{
		{"nothing was written yet", "", []string{"org1"}, nil},
		{"everybody is still known", "org1,org2", []string{"org1", "org2"}, nil},
		{"a member more is known", "org1", []string{"org1", "org3"}, nil},
		{"a record that is refused now", "org1,org2,org3", []string{"org1", "org3"}, []string{"org2"}},
		{"a member that has left the plan is not missed", "gone,org1", []string{"org1"}, nil},
	} {
		before := &corev1.ConfigMap{}
		before.Annotations = map[string]string{v1alpha1.AnnotationConnectionMembers: row.before}
		if got := droppedMembers(before, plan, row.known); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, not %v", row.why, got, row.want)
		}
	}
}

func TestJoinedChannels(t *testing.T) {
	got := joinedChannels(planner.Planner{}.Description(), []v1alpha1.PlanChannelStatus{
		{Name: "ordered-only", Steps: []v1alpha1.PlanStep{{Name: planner.StepJoinOrderers, Nodes: []string{"orderer0-org1"}}}},
		{Name: "settlement", Steps: []v1alpha1.PlanStep{{Name: planner.StepJoinPeers, Nodes: []string{"peer0-org1"}}}},
	})
	if !slices.Equal(got, []string{"settlement"}) {
		t.Errorf("%v: a channel that no peer has joined is of no use to an application", got)
	}
}
