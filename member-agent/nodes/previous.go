package nodes

import (
	appsv1 "k8s.io/api/apps/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// serves says whether a contract's Deployment that the plan does not have any more is still needed: the ledger has committed
// what it serves, until the plan's own definition is committed and answers. What it serves is not known before the ledger
// has been read for what the plan declares.
func serves(plan *v1alpha1.MemberPlan, d *appsv1.Deployment) bool {
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
