package host

import (
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Annotations on a mirror that say which plan of the host it is a copy of.
const (
	// AnnotationHostUID is the plan's UID on the host.
	AnnotationHostUID = v1alpha1.GroupName + "/host-uid"
	// AnnotationHostGeneration is the plan's generation on the host.
	AnnotationHostGeneration = v1alpha1.GroupName + "/host-generation"
	// AnnotationRefused is set on a mirror while the host has a newer plan that was rejected: the reason, a colon and what
	// is wrong.
	AnnotationRefused = v1alpha1.AnnotationRefused
)

// Mirror is the copy of a plan in the member's own cluster.
func Mirror(plan *v1alpha1.MemberPlan, namespace string) *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace,
			Name:      plan.Name,
			Labels: map[string]string{
				v1alpha1.LabelManagedBy:  v1alpha1.ManagedBy,
				v1alpha1.LabelConsortium: plan.Spec.Consortium,
			},
			Annotations: map[string]string{
				AnnotationHostUID:        string(plan.UID),
				AnnotationHostGeneration: strconv.FormatInt(plan.Generation, 10),
			},
		},
		Spec: *plan.Spec.DeepCopy(),
	}
}

// current says whether the mirror is a copy of the current plan.
func current(plan, mirror *v1alpha1.MemberPlan) bool {
	return mirror.Undecodable.InStatus() && mirror.Annotations[AnnotationHostUID] == string(plan.UID) &&
		mirror.Annotations[AnnotationHostGeneration] == strconv.FormatInt(plan.Generation, 10) &&
		equality.Semantic.DeepEqual(mirror.Spec, plan.Spec)
}

// Report is the mirror's status in the host's terms: generations of the mirror become generations of the plan. A
// status about an older mirror keeps the generation that was reported last, since the actual one is unknown. There
// is nothing to report before the agent has worked on the mirror, nor about a plan that was made anew under the name.
func Report(plan, mirror *v1alpha1.MemberPlan) (v1alpha1.MemberPlanStatus, bool) {
	if mirror.Status.ObservedGeneration == 0 || mirror.Annotations[AnnotationHostUID] != string(plan.UID) {
		return v1alpha1.MemberPlanStatus{}, false
	}
	generation, err := strconv.ParseInt(mirror.Annotations[AnnotationHostGeneration], 10, 64)
	if err != nil {
		return v1alpha1.MemberPlanStatus{}, false
	}
	translate := func(observed int64) int64 {
		if observed == mirror.Generation {
			return generation
		}
		return min(plan.Status.ObservedGeneration, generation)
	}
	status := *mirror.Status.DeepCopy()
	status.ObservedGeneration = translate(status.ObservedGeneration)
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.ObservedGeneration = translate(c.ObservedGeneration)
		if c.Type == v1alpha1.PlanMirrored && c.Status == metav1.ConditionFalse {
			c.Message = hostMessage(c.Reason, c.Message)
		}
	}
	status.Shorten()
	return status, true
}
