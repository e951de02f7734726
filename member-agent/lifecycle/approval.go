package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/policy"
)

// approvalOf is the annotation of a mirror by which a person approves a contract's definition. Only who may write in
// the agent's namespace can set it: the host's own annotations are not mirrored.
func approvalOf(c v1alpha1.PlanContract) string {
	return v1alpha1.AnnotationApprovalPrefix + c.Channel + "." + c.Name
}

// definition is what the annotation has to say: a digest of all that is approved, so that nothing of it can be changed
// afterwards. What a contract may use of the organization's machines is not part of it.
func definition(c v1alpha1.PlanContract) string {
	c.Resources = nil
	raw, err := json.Marshal(c)
	if err != nil {
		return "" // which no annotation says; strings and numbers do not fail to be encoded
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// unapproved says what is missing before a contract counts as approved by the organization; empty if nothing is.
func (r *Reconciler) unapproved(plan *v1alpha1.MemberPlan, c v1alpha1.PlanContract) string {
	want := definition(c)
	if r.Approval != policy.ByHand || (want != "" && plan.Annotations[approvalOf(c)] == want) {
		return ""
	}
	return fmt.Sprintf("%s approves contracts by hand, and not yet version %.64s with the image %.256s: if you do, kubectl -n %s annotate --overwrite memberplan %s %s=%s in its cluster",
		plan.Spec.Member, c.Version, c.Image, r.Namespace, plan.Name, approvalOf(c), want)
}

// approvals are the annotations of a mirror that approve something.
func approvals(plan *v1alpha1.MemberPlan) map[string]string {
	all := maps.Clone(plan.Annotations)
	maps.DeleteFunc(all, func(key, _ string) bool { return !strings.HasPrefix(key, v1alpha1.AnnotationApprovalPrefix) })
	return all
}
