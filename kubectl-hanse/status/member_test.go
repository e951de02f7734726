package status

import (
	"strings"
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
	if got := memberTree(plan, false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plan.Generation = 3
	plan.Status.Conditions[0].Status = "True"
	if top := memberTop(plan); top.mark != waiting {
		t.Errorf("a plan that was changed is not ready: %+v", top)
	}
}

func TestMemberTreeMarksFaults(t *testing.T) {
	ready := func(kind string) condition {
		return condition{Type: kind, Status: "True", Reason: v1alpha1.ReasonReady}
	}
	for _, test := range []struct {
		why    string
		status v1alpha1.MemberPlanStatus
		want   string
	}{
		{"a node at fault", v1alpha1.MemberPlanStatus{Conditions: []condition{ready(v1alpha1.PlanNodesReady)},
			Nodes: []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Reason: v1alpha1.ReasonImagePull, Message: "cannot be pulled"}}}, "✗ peer0-org1  cannot be pulled"},
		{"a node that waits", v1alpha1.MemberPlanStatus{Conditions: []condition{ready(v1alpha1.PlanNodesReady)},
			Nodes: []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Message: "starting"}}}, "… peer0-org1  starting"},
		{"a channel at fault", v1alpha1.MemberPlanStatus{Conditions: []condition{ready(v1alpha1.PlanChannelsReady)},
			Channels: []v1alpha1.PlanChannelStatus{{Name: "deals", Reason: v1alpha1.ReasonLedgerDiffers, Message: "another ledger"}}}, "✗ deals  another ledger"},
		{"a channel that waits", v1alpha1.MemberPlanStatus{Conditions: []condition{ready(v1alpha1.PlanChannelsReady)},
			Channels: []v1alpha1.PlanChannelStatus{{Name: "deals", Reason: v1alpha1.ReasonWaiting, Message: "waiting for org2"}}}, "… deals  waiting for org2"},
		{"a contract at fault, though an earlier one runs", v1alpha1.MemberPlanStatus{Conditions: []condition{ready(v1alpha1.PlanContractsReady)},
			Contracts: []v1alpha1.PlanContractStatus{{Channel: "deals", Name: "notary", Running: true, Reason: v1alpha1.ReasonNotApproved, Message: "approve it"}}}, "✗ deals/notary  approve it"},
		{"a plan that is refused", v1alpha1.MemberPlanStatus{Conditions: []condition{
			{Type: v1alpha1.PlanMirrored, Status: "False", Reason: v1alpha1.ReasonLimitExceeded, Message: "too many nodes"}}}, "✗ plan  too many nodes"},
		{"a credential that is shared, which is True and a fault", v1alpha1.MemberPlanStatus{Conditions: []condition{
			{Type: v1alpha1.PlanCredentialShared, Status: "True", Reason: v1alpha1.ReasonCredentialShared, Message: "two agents"}}}, "✗ credential  two agents"},
	} {
		if got := memberTree(v1alpha1.MemberPlan{Status: test.status}, false); !strings.Contains(got, test.want+"\n") {
			t.Errorf("%s: want %q in\n%s", test.why, test.want, got)
		}
	}
}
