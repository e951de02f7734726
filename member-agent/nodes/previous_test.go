package nodes

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestPreviousWorkload(t *testing.T) {
	contract := v1alpha1.PlanContract{Name: "notary", Channel: "goods", Image: "notary:2", Version: "1.0", Sequence: 2}
	const old = "goods-notary-00000001"
	current := v1alpha1.PlanContractStatus{Name: "notary", Channel: "goods", Definition: contract.DefinitionHash()}
	with := func(change func(*v1alpha1.PlanContractStatus)) []v1alpha1.PlanContractStatus {
		s := current
		change(&s)
		return []v1alpha1.PlanContractStatus{s}
	}
	for _, row := range []struct {
		why       string
		contracts []v1alpha1.PlanContract
		statuses  []v1alpha1.PlanContractStatus
		want      bool
	}{
		{"the plan has no such contract any more", nil, nil, false},
		{"nothing is known yet", []v1alpha1.PlanContract{contract}, nil, true},
		{"what is known is about the definition before", []v1alpha1.PlanContract{contract}, with(func(s *v1alpha1.PlanContractStatus) { s.Definition = "before" }), true},
		{"it serves what is committed", []v1alpha1.PlanContract{contract}, with(func(s *v1alpha1.PlanContractStatus) { s.Workload = old }), true},
		{"another one serves what is committed", []v1alpha1.PlanContract{contract}, with(func(s *v1alpha1.PlanContractStatus) { s.Workload = "goods-notary-00000002" }), false},
		{"the new one is committed and does not answer yet", []v1alpha1.PlanContract{contract}, with(func(s *v1alpha1.PlanContractStatus) { s.Workload = contract.WorkloadName() }), true},
		{"the new one is committed and answers", []v1alpha1.PlanContract{contract}, with(func(s *v1alpha1.PlanContractStatus) {
			s.Workload, s.Serving = contract.WorkloadName(), true
		}), false},
		{"nothing is committed, and the plan changed twice", []v1alpha1.PlanContract{contract}, with(func(*v1alpha1.PlanContractStatus) {}), false},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Contracts: row.contracts}, Status: v1alpha1.MemberPlanStatus{Contracts: row.statuses}}
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
				Name: old, Labels: map[string]string{v1alpha1.LabelContract: "notary"}, Annotations: map[string]string{annotationChannel: "goods"},
			}}
			if got := isServing(plan, d); got != row.want {
				t.Errorf("%v", got)
			}
		})
	}
}
