package status

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestMemberTree(t *testing.T) {
	plan := v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Name: "trade", Generation: 2}}
	plan.Spec.Member = "org1"
	plan.Status = v1alpha1.MemberPlanStatus{
		ObservedGeneration: 2,
		Conditions: []condition{
			{Type: v1alpha1.ConditionReady, Status: "False", Reason: v1alpha1.ReasonWaiting, Message: "waiting for the record of org2"},
			{Type: v1alpha1.PlanDiscovered, Status: "False", Reason: v1alpha1.ReasonWaiting, Message: "waiting for the record of org2"},
			{Type: v1alpha1.PlanNodesReady, Status: "True", Reason: v1alpha1.ReasonReady, Message: "1 nodes run"},
			{Type: v1alpha1.PlanTrusted, Status: "False", Reason: v1alpha1.ReasonRootChanged, Message: "another root"},
		},
		Nodes:    []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Ready: true}},
		Channels: []v1alpha1.PlanChannelStatus{{Name: "not-shown-before-its-condition"}},
	}
	want := `… trade  waiting for the record of org2   (as org1's own agent sees it)
├─ ✗ trust      another root
├─ ✓ nodes      1 nodes run
│  └─ ✓ peer0-org1
└─ … discovery  waiting for the record of org2
`
	if got := memberTree(plan); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plan.Generation = 3
	plan.Status.Conditions[0].Status = "True"
	if top := memberTop(plan); top.mark != waiting {
		t.Errorf("a plan that was changed is not ready: %+v", top)
	}
}
