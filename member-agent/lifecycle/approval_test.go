package lifecycle

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/policy"
)

func TestApprovalByHand(t *testing.T) {
	notary := v1alpha1.PlanContract{
		Name: "notary", Channel: "settlement", Image: goodContract, Version: "1.0", Sequence: 1,
		Endorsement: v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority},
	}
	changed := func(change func(*v1alpha1.PlanContract)) v1alpha1.PlanContract {
		c := *notary.DeepCopy()
		change(&c)
		return c
	}
	for _, row := range []struct {
		why      string
		approval policy.Approval
		said     map[string]string
		contract v1alpha1.PlanContract
		reason   string
	}{
		{"nobody has to be asked", policy.Automatic, nil, notary, ""},
		{"nobody has said anything", policy.ByHand, nil, notary, v1alpha1.ReasonNotApproved},
		{"approved as it is", policy.ByHand, map[string]string{approvalOf(notary): definition(notary)}, notary, ""},
		{"approved, and the host changes the image", policy.ByHand, map[string]string{approvalOf(notary): definition(notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Image += "1" }), v1alpha1.ReasonNotApproved},
		{"approved, and the host changes who endorses", policy.ByHand, map[string]string{approvalOf(notary): definition(notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Endorsement.Rule = v1alpha1.EndorseAny }), v1alpha1.ReasonNotApproved},
		{"approved, and a definition comes after it", policy.ByHand, map[string]string{approvalOf(notary): definition(notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Sequence++ }), v1alpha1.ReasonNotApproved},
		{"what it may use of the machines is not the ledger's business", policy.ByHand, map[string]string{approvalOf(notary): definition(notary)},
			changed(func(c *v1alpha1.PlanContract) {
				c.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}}
			}), ""},
		{"a word for another contract", policy.ByHand, map[string]string{v1alpha1.AnnotationApprovalPrefix + "settlement.asset": definition(notary)}, notary, v1alpha1.ReasonNotApproved},
		{"approved with an image that is not allowed", policy.ByHand, nil,
			changed(func(c *v1alpha1.PlanContract) { c.Image = evilContract }), v1alpha1.ReasonImageNotAllowed},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := careful()
			r.Approval, r.Namespace = row.approval, "hanse-system"
			plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
				Member: "org1", Contracts: []v1alpha1.PlanContract{row.contract},
				Channels: []v1alpha1.PlanChannel{{Name: "settlement", Members: []string{"org1"}}},
			}}
			plan.Name, plan.Annotations = "trade", row.said
			allowed, refused, reason := r.allowed(plan)
			if reason != row.reason || (len(allowed.Spec.Contracts) == 1) != (row.reason == "") {
				t.Errorf("%q, and the ledger is given %d contracts", reason, len(allowed.Spec.Contracts))
			}
			if row.reason == v1alpha1.ReasonNotApproved {
				way := "annotate --overwrite memberplan trade " + approvalOf(row.contract) + "=" + definition(row.contract)
				if !strings.Contains(refused[0].Message, way) {
					t.Errorf("it does not say how: %s", refused[0].Message)
				}
			}
			pod := corev1.PodSpec{Containers: []corev1.Container{{Image: row.contract.Image}}}
			if w := r.judge(plan, []ledger.Workload{{Contract: &row.contract, Pod: pod}})[0]; (w.Refused == "") != (row.reason == "") {
				t.Errorf("its workload: %q", w.Refused)
			}
		})
	}
}
