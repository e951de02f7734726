package snapshot

import (
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// SharePlan is a cache's transform of MemberPlans: it drops managed fields, and has texts that many plans have, the roots of
// Members above all, in memory once. With ten members each root is in thirty plans.
func SharePlan(object any) (any, error) {
	plan, ok := object.(*v1alpha1.MemberPlan)
	if !ok {
		return object, nil
	}
	plan.ManagedFields = nil
	for i := range plan.Spec.Members {
		m := &plan.Spec.Members[i]
		share(&m.Name, &m.MSPID, &m.Root, &m.Record, &m.Holdings)
		m.Role = v1alpha1.ConsortiumRole(unique.Make(string(m.Role)).Value())
		for j := range m.Nodes {
			share(&m.Nodes[j].Name)
		}
	}
	shareConditions(plan.Status.Conditions)
	return plan, nil
}

func shareConditions(conditions []metav1.Condition) {
	for i := range conditions {
		share(&conditions[i].Type, &conditions[i].Reason, &conditions[i].Message)
	}
}

// share replaces texts by the one copy that there is of each.
func share(texts ...*string) {
	for _, text := range texts {
		*text = unique.Make(*text).Value()
	}
}
