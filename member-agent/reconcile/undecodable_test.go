package reconcile

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestUndecodablePlanIsRejected(t *testing.T) {
	for _, c := range []struct{ why, path, reason string }{
		{"a value of its specification", "spec.nodes[0].storage.size", v1alpha1.ReasonUndecodable},
		{"a value of its status, which the agent writes anew", "status.channels[0].genesis", ""},
	} {
		plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
			Member: "org1", Consortium: "trade", Namespace: "hanse-trade",
			Members: []v1alpha1.PlanMember{{Name: "org1", Role: v1alpha1.RoleLeader}},
		}}
		plan.Name = "trade"
		plan.Undecodable = v1alpha1.Undecodable{{Path: c.path, Problem: "nonsense"}}
		reason, why := validatePlan(plan, "org1")
		if reason != c.reason || (reason != "" && !strings.Contains(why, c.path)) {
			t.Errorf("%s: %s, %s", c.why, reason, why)
		}
	}
}
