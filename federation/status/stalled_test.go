package status

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

func TestStalled(t *testing.T) {
	consortium := func(in plan.Input) []metav1.Condition { return Consortium(in, plan.Compute(in), now).Conditions }
	channel := func(in plan.Input) []metav1.Condition {
		return Channel(in, plan.Compute(in), &in.Channels[0], now).Conditions
	}
	contract := func(in plan.Input) []metav1.Condition {
		return Contract(in, plan.Compute(in), &in.Contracts[0], now).Conditions
	}
	line := func(in plan.Input) []metav1.Condition {
		return Line(&in.Lines[0], in.Lines, in.Members, now).Conditions
	}
	fault := func(reason string) func(*plan.Input) {
		return func(in *plan.Input) { setContractFault(in.Plans["org2"], "deals", "notary", reason, "not here") }
	}
	for _, c := range []struct {
		why        string
		change     func(*plan.Input)
		conditions func(plan.Input) []metav1.Condition
		reason     string // none: not stalled
	}{
		{"all is well", func(*plan.Input) {}, consortium, ""},
		{"a Member that may be declared a moment later", func(in *plan.Input) { delete(in.Members, "org3") }, consortium, ""},
		{"a Channel of a Consortium that waits for it", func(in *plan.Input) { delete(in.Members, "org3") }, channel, ""},
		{"an end that may be declared a moment later", func(in *plan.Input) { delete(in.Members, "org2") }, line, ""},
		{"a line that is down may come up again", func(in *plan.Input) { report(*in, "org2", "org1-org2").State = v1alpha1.LineDown }, line, ""},
		{"lost contact", func(in *plan.Input) { setOffline(*in, "org2") }, contract, ""},
		{"what is tried again", fault(v1alpha1.ReasonFailed), contract, ""},
		{"what somebody has yet to approve", fault(v1alpha1.ReasonNotApproved), contract, ""},
		{"what an organization refuses", fault(v1alpha1.ReasonImageNotAllowed), contract, v1alpha1.ReasonImageNotAllowed},
		{"what an organization refuses stands at the contract", fault(v1alpha1.ReasonImageNotAllowed), consortium, ""},
		{"a contradiction", func(in *plan.Input) { in.Channels[0].Spec.Members = []string{"org1", "z"} }, channel, v1alpha1.ReasonInvalid},
		{"a rollout that failed", failedRollout, consortium, v1alpha1.ReasonRolloutFailed},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := readyInput()
			c.change(&in)
			conditions := c.conditions(in)
			got := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
			if c.reason == "" && got != nil || c.reason != "" && (got == nil || got.Status != metav1.ConditionTrue || got.Reason != c.reason || got.Message == "") {
				t.Errorf("got %+v, want %q", got, c.reason)
			}
			if got != nil && meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
				t.Error("ready and stalled")
			}
		})
	}
}

// TestRetiringIsNotStalled: what was wrong with it does not matter any more.
func TestRetiringIsNotStalled(t *testing.T) {
	in := readyInput()
	failedRollout(&in)
	in.Consortium.Status = Consortium(in, plan.Compute(in), now)
	for _, c := range Retiring(in, []string{"org2"}, now).Conditions {
		if c.Type == v1alpha1.ConditionStalled {
			t.Errorf("%+v", c)
		}
		if c.Type == v1alpha1.ConditionReady && !strings.Contains(c.Message, "org2") {
			t.Errorf("%+v", c)
		}
	}
}
