package reconcile

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// phaseOrder of the conditions that make a plan ready, with the name that the phase has in status.phase.
var phaseOrder = []struct{ condition, phase string }{
	{v1alpha1.PlanTrusted, "Trust"},
	{v1alpha1.PlanIdentitiesReady, "Identities"},
	{v1alpha1.PlanNodesReady, "Nodes"},
	{v1alpha1.PlanDiscovered, "Discovery"},
	{v1alpha1.PlanLinesReady, "Lines"},
	{v1alpha1.PlanChannelsReady, "Channels"},
	{v1alpha1.PlanContractsReady, "Contracts"},
}

// planProgress collects the results of one reconciliation in a copy of the plan's status, which is written at the end.
type planProgress struct {
	plan   *v1alpha1.MemberPlan
	status v1alpha1.MemberPlanStatus
}

func newProgress(plan *v1alpha1.MemberPlan) *planProgress {
	p := &planProgress{plan: plan, status: *plan.Status.DeepCopy()}
	p.status.ObservedGeneration = plan.Generation
	if reason, why, refused := strings.Cut(plan.Annotations[v1alpha1.AnnotationRefused], ": "); refused {
		p.setFalse(v1alpha1.PlanMirrored, reason, "the host's newer plan was rejected; keeping this one: "+why)
	} else {
		p.setTrue(v1alpha1.PlanMirrored, "the plan has been copied into this cluster")
	}
	return p
}

func (p *planProgress) set(condition string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&p.status.Conditions, metav1.Condition{
		Type: condition, Status: status, Reason: reason, Message: v1alpha1.Shorten(message), ObservedGeneration: p.plan.Generation,
	})
}

func (p *planProgress) setTrue(condition, message string) {
	p.set(condition, metav1.ConditionTrue, v1alpha1.ReasonReady, message)
}

// setCredentialShared says that somebody else uses the agent's credential on the host, if something shows it.
func (p *planProgress) setCredentialShared(what string) {
	if what == "" {
		meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.PlanCredentialShared)
		return
	}
	p.set(v1alpha1.PlanCredentialShared, metav1.ConditionTrue, v1alpha1.ReasonCredentialShared, what)
}

// setFalse sets a condition to False.
func (p *planProgress) setFalse(condition, reason, message string) {
	p.set(condition, metav1.ConditionFalse, reason, message)
}

// setWaiting sets a condition to False because an earlier step is not done.
func (p *planProgress) setWaiting(condition, message string) {
	p.setFalse(condition, v1alpha1.ReasonWaiting, message)
}

// finalizeConditions aggregates the conditions into Ready and the phase, and sets every condition that no phase has set
// in this reconciliation to Unknown.
func (p *planProgress) finalizeConditions() {
	for _, step := range phaseOrder {
		c := meta.FindStatusCondition(p.status.Conditions, step.condition)
		if c == nil || c.ObservedGeneration != p.plan.Generation {
			p.set(step.condition, metav1.ConditionUnknown, v1alpha1.ReasonWaiting, "an earlier step is not done")
		}
	}
	p.status.Phase = "Ready"
	ready := metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "everything runs as the plan says"}
	for _, step := range phaseOrder {
		c := meta.FindStatusCondition(p.status.Conditions, step.condition)
		if c.Status == metav1.ConditionTrue {
			continue
		}
		if p.status.Phase == "Ready" {
			p.status.Phase = step.phase
			ready = metav1.Condition{Status: c.Status, Reason: c.Reason, Message: c.Message}
		}
		// False takes precedence over Unknown.
		if ready.Status == metav1.ConditionUnknown && c.Status == metav1.ConditionFalse {
			ready = metav1.Condition{Status: c.Status, Reason: c.Reason, Message: c.Message}
		}
	}
	p.set(v1alpha1.ConditionReady, ready.Status, ready.Reason, ready.Message)
}

// requeueAfter is the interval until the plan is reconciled without an event: a quarter of the time that it has not been
// ready, within bounds. One that has just become ready is looked at soon, for what was deferred until then.
func (p *planProgress) requeueAfter(now time.Time) time.Duration {
	ready := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return requeueNotReady
	case ready.Status == metav1.ConditionTrue && !meta.IsStatusConditionTrue(p.plan.Status.Conditions, v1alpha1.ConditionReady):
		return requeueNotReady
	case ready.Status == metav1.ConditionTrue:
		return requeueReady
	}
	return min(max(now.Sub(ready.LastTransitionTime.Time)/4, requeueNotReady), requeueStalled)
}

// setRetired sets the status of a plan that is being removed.
func (p *planProgress) setRetired(done bool, message string) {
	p.status.Phase = "Retiring"
	p.status.Nodes, p.status.Channels, p.status.Contracts = nil, nil, nil
	for _, step := range phaseOrder {
		meta.RemoveStatusCondition(&p.status.Conditions, step.condition)
	}
	p.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRetiring, message)
	if done {
		p.status.Phase = "Retired"
		p.setTrue(v1alpha1.PlanRetired, message)
		return
	}
	p.setFalse(v1alpha1.PlanRetired, v1alpha1.ReasonRetiring, message)
}
