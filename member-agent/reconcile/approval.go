package reconcile

import (
	"fmt"
	"maps"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/policy"
)

// approvalAnnotation is the annotation of a mirror by which a person approves a contract's definition. Only who may write in
// the agent's namespace can set it: the host's own annotations are not mirrored.
func approvalAnnotation(c v1alpha1.PlanContract) string {
	return v1alpha1.AnnotationApprovalPrefix + c.Channel + "." + c.Name
}

// approvalProblem says what is missing before a contract counts as approved by the organization, and the reason; empty if
// nothing is. A person approves the driver's hash of everything that the approval binds to, so that nothing of it can be
// changed afterwards, and an image by digest, because the owner of a registry can move a tag.
func (r *Reconciler) approvalProblem(plan *v1alpha1.MemberPlan, c v1alpha1.PlanContract) (why, reason string) {
	if r.Approval != policy.ByHand {
		return "", ""
	}
	if !policy.Pinned(c.Image) {
		return fmt.Sprintf("%s approves contracts by hand, and only images that are named by digest: on the host, write the image %.256s as NAME@sha256:DIGEST in the Contract's spec.image; `docker buildx imagetools inspect` and `crane digest` print the digest",
			plan.Spec.Member, c.Image), v1alpha1.ReasonDigestRequired
	}
	want, err := r.Driver.Definition(plan, c)
	if err != nil {
		return fmt.Sprintf("%s approves contracts by hand, and this one cannot be approved: %v", plan.Spec.Member, err), v1alpha1.ReasonNotApproved
	}
	if want != "" && plan.Annotations[approvalAnnotation(c)] == want {
		return "", ""
	}
	return fmt.Sprintf("%s approves contracts by hand, and not yet version %.64s with the image %.256s: if you do, kubectl -n %s annotate --overwrite memberplan %s %s=%s in its cluster",
		plan.Spec.Member, c.Version, c.Image, r.Namespace, plan.Name, approvalAnnotation(c), want), v1alpha1.ReasonNotApproved
}

// approvals are the annotations of a mirror that approve something.
func approvals(plan *v1alpha1.MemberPlan) map[string]string {
	all := maps.Clone(plan.Annotations)
	maps.DeleteFunc(all, func(key, _ string) bool { return !strings.HasPrefix(key, v1alpha1.AnnotationApprovalPrefix) })
	return all
}
