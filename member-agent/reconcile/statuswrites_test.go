package reconcile

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestStatusWrites(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	condition := func(kind string, status metav1.ConditionStatus, reason string) func(*v1alpha1.MemberPlanStatus) {
		return func(s *v1alpha1.MemberPlanStatus) {
			s.Conditions = []metav1.Condition{{Type: kind, Status: status, Reason: reason}}
		}
	}
	for _, row := range []struct {
		why    string
		after  time.Duration
		change func(*v1alpha1.MemberPlanStatus)
		wait   time.Duration
	}{
		{"another message", 500 * time.Millisecond, func(s *v1alpha1.MemberPlanStatus) { s.Channels[0].Message = "waiting for org3" }, 1500 * time.Millisecond},
		{"a node got ready, which the ledger knows already", time.Second, func(s *v1alpha1.MemberPlanStatus) { s.Nodes = []v1alpha1.PlanNodeStatus{{Ready: true}} }, time.Second},
		{"a phase is done", time.Second, condition(v1alpha1.PlanNodesReady, metav1.ConditionTrue, v1alpha1.ReasonReady), time.Second},
		{"a newer plan is carried out", time.Second, func(s *v1alpha1.MemberPlanStatus) { s.ObservedGeneration++ }, time.Second},
		{"another message, long after", statusInterval, func(s *v1alpha1.MemberPlanStatus) { s.Channels[0].Message = "waiting for org3" }, 0},
		{"the clock went back", -time.Hour, func(s *v1alpha1.MemberPlanStatus) { s.Channels[0].Message = "waiting for org3" }, 0},
		{"the others wait for its record", 0, func(s *v1alpha1.MemberPlanStatus) { s.Record = "digest" }, 0},
		{"and for what it holds", 0, func(s *v1alpha1.MemberPlanStatus) { s.Holdings = "digest" }, 0},
		{"and for the first block", 0, func(s *v1alpha1.MemberPlanStatus) { s.Channels[0].Genesis = "digest" }, 0},
		{"the host counts sequences by what is committed", 0, func(s *v1alpha1.MemberPlanStatus) { s.Contracts[0].Committed = 1 }, 0},
		{"a person has to look", 0, func(s *v1alpha1.MemberPlanStatus) { s.Channels[0].Reason = v1alpha1.ReasonGenesisDiffers }, 0},
		{"a channel that waits again", 0, func(s *v1alpha1.MemberPlanStatus) { s.Channels[0].Reason = v1alpha1.ReasonFailed }, statusInterval},
		{"it is ready", 0, condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady), 0},
		{"it is not trusted", 0, condition(v1alpha1.PlanTrusted, metav1.ConditionFalse, v1alpha1.ReasonInvalid), 0},
		{"it was removed", 0, condition(v1alpha1.PlanRetired, metav1.ConditionTrue, v1alpha1.ReasonReady), 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			before := v1alpha1.MemberPlanStatus{
				Channels:  []v1alpha1.PlanChannelStatus{{Name: "goods", Reason: v1alpha1.ReasonWaiting}},
				Contracts: []v1alpha1.PlanContractStatus{{Name: "notary"}},
			}
			after := before.DeepCopy()
			row.change(after)
			w := statusWrites{at: map[string]time.Time{}}
			if got := w.wait("trade", &before, after, start); got != 0 {
				t.Errorf("the first write waits for %s", got)
			}
			w.done("trade", start)
			if got := w.wait("trade", &before, after, start.Add(row.after)); got != row.wait {
				t.Errorf("waits for %s, not %s", got, row.wait)
			}
			w.forget("trade")
			if got := w.wait("trade", &before, after, start); got != 0 {
				t.Errorf("after the plan was deleted and made anew it waits for %s", got)
			}
		})
	}
}
