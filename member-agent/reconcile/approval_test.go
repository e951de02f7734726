package reconcile

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/member-agent/policy"
)

func TestApprovalByHand(t *testing.T) {
	notary := v1alpha1.PlanContract{
		Name: "notary", Channel: "settlement", Image: goodContract + "@sha256:" + strings.Repeat("ab", 32), Version: "1.0", Sequence: 1,
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
		{"approved as it is", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)}, notary, ""},
		{"approved, and the host changes the image", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Image = goodContract + "@sha256:" + strings.Repeat("cd", 32) }), v1alpha1.ReasonNotApproved},
		{"a tag, which can be moved", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Image = goodContract }), v1alpha1.ReasonDigestRequired},
		{"a digest that is none", policy.ByHand, nil,
			changed(func(c *v1alpha1.PlanContract) { c.Image = goodContract + "@sha256:" + strings.Repeat("AB", 32) }), v1alpha1.ReasonDigestRequired},
		{"where nobody has to be asked, a tag will do", policy.Automatic, nil,
			changed(func(c *v1alpha1.PlanContract) { c.Image = goodContract }), ""},
		{"approved, and the host adds a collection", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)},
			changed(func(c *v1alpha1.PlanContract) {
				yes, two := true, int32(2)
				c.Collections = []v1alpha1.Collection{{Name: "x", Members: []string{"org1"}, MaxPeers: &two, MemberOnlyRead: &yes, MemberOnlyWrite: &yes}}
			}), v1alpha1.ReasonNotApproved},
		{"approved, and the host changes who endorses", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Endorsement.Rule = v1alpha1.EndorseAny }), v1alpha1.ReasonNotApproved},
		{"approved, and a definition comes after it", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)},
			changed(func(c *v1alpha1.PlanContract) { c.Sequence++ }), v1alpha1.ReasonNotApproved},
		{"what it may use of the machines is not the ledger's business", policy.ByHand, map[string]string{approvalAnnotation(notary): digestOf(t, notary)},
			changed(func(c *v1alpha1.PlanContract) {
				c.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")}}
			}), ""},
		{"a word for another contract", policy.ByHand, map[string]string{v1alpha1.AnnotationApprovalPrefix + "settlement.asset": digestOf(t, notary)}, notary, v1alpha1.ReasonNotApproved},
		{"approved with an image that is not allowed", policy.ByHand, nil,
			changed(func(c *v1alpha1.PlanContract) { c.Image = evilContract }), v1alpha1.ReasonImageNotAllowed},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := newTestReconciler()
			r.Approval, r.Namespace = row.approval, "hanse-system"
			r.Driver = fabric.New(fabric.Options{})
			plan := approvalPlan(row.contract)
			plan.Annotations = row.said
			allowed, refused, reason := r.withoutForbiddenContracts(plan)
			if reason != row.reason || (len(allowed.Spec.Contracts) == 1) != (row.reason == "") {
				t.Errorf("%q, and the ledger is given %d contracts", reason, len(allowed.Spec.Contracts))
			}
			if len(refused) > 0 && refused[0].Reason != row.reason {
				t.Errorf("the contract is reported with the reason %q", refused[0].Reason)
			}
			if row.reason == v1alpha1.ReasonNotApproved {
				way := "annotate --overwrite memberplan trade " + approvalAnnotation(row.contract) + "=" + digestOf(t, row.contract)
				if !strings.Contains(refused[0].Message, way) {
					t.Errorf("it does not say how: %s", refused[0].Message)
				}
			}
			pod := corev1.PodSpec{Containers: []corev1.Container{{Image: row.contract.Image}}}
			if w := r.validateWorkloads(plan, []ledger.Workload{{Contract: &row.contract, Pod: pod}})[0]; (w.Refused == "") != (row.reason == "") {
				t.Errorf("its workload: %q", w.Refused)
			}
		})
	}
}

func approvalPlan(contract v1alpha1.PlanContract) *v1alpha1.MemberPlan {
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
		Member: "org1", Consortium: "trade", Contracts: []v1alpha1.PlanContract{contract},
		Channels: []v1alpha1.PlanChannel{{Name: "settlement", Members: []string{"org1", "org2", "org3"}}},
	}}
	plan.Name = "trade"
	return plan
}

func digestOf(t *testing.T, contract v1alpha1.PlanContract) string {
	t.Helper()
	digest, err := fabric.New(fabric.Options{}).Definition(approvalPlan(contract), contract)
	if err != nil {
		return "none: " + err.Error()
	}
	return digest
}

// TestForgedChannel is what a captured host did: the contract stays as it was approved, and the channel below it is changed so
// that another policy would be committed.
func TestForgedChannel(t *testing.T) {
	contract := v1alpha1.PlanContract{
		Name: "notary", Channel: "settlement", Image: goodContract + "@sha256:" + strings.Repeat("ab", 32), Version: "1.0", Sequence: 1,
		Endorsement: v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority},
	}
	for _, row := range []struct {
		why    string
		change func(plan *v1alpha1.MemberPlan)
		reason string
	}{
		{"nothing", func(*v1alpha1.MemberPlan) {}, ""},
		{"a member is written twice", func(p *v1alpha1.MemberPlan) { p.Spec.Channels[0].Members = []string{"org1", "org3", "org3"} }, v1alpha1.ReasonNotApproved},
		{"a member is left out", func(p *v1alpha1.MemberPlan) { p.Spec.Channels[0].Members = []string{"org1", "org3"} }, v1alpha1.ReasonNotApproved},
		{"the channel's rule is another one", func(p *v1alpha1.MemberPlan) { p.Spec.Channels[0].Endorsement.Rule = v1alpha1.EndorseAny }, v1alpha1.ReasonNotApproved},
		{"the consortium is another one", func(p *v1alpha1.MemberPlan) { p.Spec.Consortium = "other" }, v1alpha1.ReasonNotApproved},
		{"members in another order are the same", func(p *v1alpha1.MemberPlan) { p.Spec.Channels[0].Members = []string{"org3", "org1", "org2"} }, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := newTestReconciler()
			r.Approval, r.Namespace, r.Driver = policy.ByHand, "hanse-system", fabric.New(fabric.Options{})
			plan := approvalPlan(contract)
			plan.Annotations = map[string]string{approvalAnnotation(contract): digestOf(t, contract)}
			row.change(plan)
			if why, reason := r.approvalProblem(plan, contract); reason != row.reason {
				t.Errorf("%q: %s", reason, why)
			}
		})
	}
}
