package nodes

import (
	appsv1 "k8s.io/api/apps/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// isServing says whether a contract's Deployment that the plan no longer has is still needed: it serves the committed
// definition until the plan's own is committed and its contract answers. Which one it serves is not known before the
// ledger has been read for the plan's definition.
func isServing(plan *v1alpha1.MemberPlan, d *appsv1.Deployment) bool {
	for i := range plan.Spec.Contracts {
		c := &plan.Spec.Contracts[i]
		if c.Name != d.Labels[v1alpha1.LabelContract] || c.Channel != d.Annotations[annotationChannel] {
			continue
		}
		for _, status := range plan.Status.Contracts {
			if status.Name == c.Name && status.Channel == c.Channel && status.Definition == c.DefinitionHash() {
				return status.Workload == d.Name || status.Workload == c.WorkloadName() && !status.Serving
			}
		}
		return true
	}
	return false
}
