package lifecycle

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// order of the conditions that make a plan ready, with the name that the phase has in status.phase.
var order = []struct{ condition, phase string }{
	{v1alpha1.PlanTrusted, "Trust"},
	{v1alpha1.PlanIdentitiesReady, "Identities"},
	{v1alpha1.PlanNodesReady, "Nodes"},
	{v1alpha1.PlanDiscovered, "Discovery"},
	{v1alpha1.PlanLinesReady, "Lines"},
	{v1alpha1.PlanChannelsReady, "Channels"},
	{v1alpha1.PlanContractsReady, "Contracts"},
}

// progress gathers one turn's results in a copy of the plan, whose status is written at the end.
type progress struct {
	plan   *v1alpha1.MemberPlan
	status v1alpha1.MemberPlanStatus
}

func newProgress(plan *v1alpha1.MemberPlan) *progress {
	p := &progress{plan: plan, status: *plan.Status.DeepCopy()}
	p.status.ObservedGeneration = plan.Generation
	if reason, why, refused := strings.Cut(plan.Annotations[v1alpha1.AnnotationRefused], ": "); refused {
		p.refuse(v1alpha1.PlanMirrored, reason, "the host has a newer plan, which is refused, and this one goes on: "+why)
	} else {
		p.done(v1alpha1.PlanMirrored, "the plan has been copied into this cluster")
	}
	return p
}

func (p *progress) set(condition string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&p.status.Conditions, metav1.Condition{
		Type: condition, Status: status, Reason: reason, Message: v1alpha1.Shorten(message), ObservedGeneration: p.plan.Generation,
	})
}

func (p *progress) done(condition, message string) {
	p.set(condition, metav1.ConditionTrue, v1alpha1.ReasonReady, message)
}

// shared says that somebody else uses the agent's credential on the host, if something shows it.
func (p *progress) shared(what string) {
	if what == "" {
		meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.PlanCredentialShared)
		return
	}
	p.set(v1alpha1.PlanCredentialShared, metav1.ConditionTrue, v1alpha1.ReasonCredentialShared, what)
}

// refuse sets a condition to False, of which somebody has to know.
func (p *progress) refuse(condition, reason, message string) {
	p.set(condition, metav1.ConditionFalse, reason, message)
}

// wait sets a condition to False because an earlier step is not done.
func (p *progress) wait(condition, message string) {
	p.refuse(condition, v1alpha1.ReasonWaiting, message)
}

// settle folds the conditions into Ready and the phase, and gives every condition that no phase has touched in this
// turn the value Unknown.
func (p *progress) settle() {
	for _, step := range order {
		c := meta.FindStatusCondition(p.status.Conditions, step.condition)
		if c == nil || c.ObservedGeneration != p.plan.Generation {
			p.set(step.condition, metav1.ConditionUnknown, v1alpha1.ReasonWaiting, "an earlier step is not done")
		}
	}
	p.status.Phase = "Ready"
	ready := metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "everything runs as the plan says"}
	for _, step := range order {
		c := meta.FindStatusCondition(p.status.Conditions, step.condition)
		if c.Status == metav1.ConditionTrue {
			continue
		}
		if p.status.Phase == "Ready" {
			p.status.Phase = step.phase
			ready = metav1.Condition{Status: c.Status, Reason: c.Reason, Message: c.Message}
		}
		// One thing that is known to be missing weighs more than another that nobody knows of.
		if ready.Status == metav1.ConditionUnknown && c.Status == metav1.ConditionFalse {
			ready = metav1.Condition{Status: c.Status, Reason: c.Reason, Message: c.Message}
		}
	}
	p.set(v1alpha1.ConditionReady, ready.Status, ready.Reason, ready.Message)
}

// patience is how long to wait for events before the plan is looked at again: the longer it has not been ready, the
// longer, for what nobody tells of has to be looked up.
func (p *progress) patience(now time.Time) time.Duration {
	ready := meta.FindStatusCondition(p.status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return soon
	case ready.Status == metav1.ConditionTrue:
		return late
	}
	return min(max(now.Sub(ready.LastTransitionTime.Time)/4, soon), seldom)
}

// retired sets what there is to say of a plan that is taken down.
func (p *progress) retired(done bool, message string) {
	p.status.Phase = "Retiring"
	p.status.Nodes, p.status.Channels, p.status.Contracts = nil, nil, nil
	for _, step := range order {
		meta.RemoveStatusCondition(&p.status.Conditions, step.condition)
	}
	p.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRetiring, message)
	if done {
		p.status.Phase = "Retired"
		p.done(v1alpha1.PlanRetired, message)
		return
	}
	p.refuse(v1alpha1.PlanRetired, v1alpha1.ReasonRetiring, message)
}
