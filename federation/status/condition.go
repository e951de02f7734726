// Package status aggregates what Members report into the statuses of the objects on the host: Line, Channel, Contract and
// Consortium. It is pure and takes the time as an argument; it must know nothing of clients or controllers.
//
// Three rules apply everywhere. The reports of an agent that is not online are ignored: lost contact makes a condition
// Unknown, never False. Something known to be missing makes it False, whatever else is unknown. And a message says which
// Member is waited for.
package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// Outcome is the new content of a condition.
type Outcome struct {
	Status  metav1.ConditionStatus
	Reason  string
	Message string
}

// Conditions turns outcomes, by condition type, into conditions sorted by type. A condition whose status is unchanged keeps
// its transition time.
func Conditions(previous []metav1.Condition, generation int64, now time.Time, outcomes map[string]Outcome) []metav1.Condition {
	conditions := make([]metav1.Condition, 0, len(outcomes))
	for kind, v := range outcomes {
		condition := metav1.Condition{
			Type: kind, Status: v.Status, Reason: v.Reason, Message: v.Message,
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
		}
		if old := meta.FindStatusCondition(previous, kind); old != nil && old.Status == v.Status {
			condition.LastTransitionTime = old.LastTransitionTime
		}
		conditions = append(conditions, condition)
	}
	slices.SortFunc(conditions, func(a, b metav1.Condition) int { return cmp.Compare(a.Type, b.Type) })
	return conditions
}

// Accepted is the outcome of the condition Accepted.
func Accepted(validation plan.ValidationResult) Outcome {
	if validation.Accepted {
		return Outcome{metav1.ConditionTrue, validation.Reason, validation.Message}
	}
	return Outcome{metav1.ConditionFalse, validation.Reason, validation.Message}
}

// Online is whether a Member's agent is online: True or Unknown.
func Online(member *v1alpha1.Member) metav1.ConditionStatus {
	if member != nil && meta.IsStatusConditionTrue(member.Status.Conditions, v1alpha1.MemberOnline) {
		return metav1.ConditionTrue
	}
	return metav1.ConditionUnknown
}

// aggregate collects what is pending, what has failed, and which Members are unreachable.
type aggregate struct {
	pending     []pendingTask
	failed      []string
	unreachable []string
}

// pendingTask is something that has not been done yet: who has to do what, and why it is not done, if known.
type pendingTask struct{ who, what, why string }

// addPending adds something that has not been done yet; the message is "waiting for WHO to WHAT (WHY)".
func (p *aggregate) addPending(who, what, why string) {
	p.pending = append(p.pending, pendingTask{who, what, why})
}

func (p *aggregate) addFailed(format string, args ...any) {
	p.failed = append(p.failed, fmt.Sprintf(format, args...))
}

func (p *aggregate) addUnreachable(member string) {
	if !slices.Contains(p.unreachable, member) {
		p.unreachable = append(p.unreachable, member)
	}
}

func (p *aggregate) merge(other aggregate) {
	p.pending = append(p.pending, other.pending...)
	p.failed = append(p.failed, other.failed...)
	for _, member := range other.unreachable {
		p.addUnreachable(member)
	}
}

// outstanding summarizes what has failed, is pending or unreachable; empty if nothing is.
func (p *aggregate) outstanding() string {
	switch {
	case len(p.failed) > 0:
		return firstAndCount(p.failed)
	case len(p.pending) > 0:
		return "waiting for " + pendingMessage(p.pending)
	case len(p.unreachable) > 0:
		return "no contact with " + firstAndCount(p.unreachable)
	}
	return ""
}

// outcome is the outcome of a condition; summary is what is done already, such as "3/4 nodes".
func (p *aggregate) outcome(summary string) Outcome {
	message := summary
	if rest := p.outstanding(); rest != "" {
		message += "; " + rest
	}
	switch {
	case len(p.failed) > 0:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonFailed, message}
	case len(p.pending) > 0:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonWaiting, message}
	case len(p.unreachable) > 0:
		return Outcome{metav1.ConditionUnknown, v1alpha1.ReasonUnreachable, message}
	}
	return Outcome{metav1.ConditionTrue, v1alpha1.ReasonReady, message}
}

// pendingMessage names the first task that is pending with everyone it is pending for, and counts the others.
func pendingMessage(pending []pendingTask) string {
	var who []string
	why := ""
	for _, w := range pending {
		if w.what != pending[0].what {
			continue
		}
		who = append(who, w.who)
		if why == "" && w.why != "" {
			why = " (" + w.why + ")"
		}
	}
	if rest := len(pending) - len(who); rest > 0 {
		why += fmt.Sprintf(", and %d more", rest)
	}
	return strings.Join(who, ", ") + " to " + pending[0].what + why
}

// firstAndCount names the first of several items and counts the others.
func firstAndCount(things []string) string {
	if len(things) == 1 {
		return things[0]
	}
	return fmt.Sprintf("%s and %d more", things[0], len(things)-1)
}

func ratio(ready, all int) string { return fmt.Sprintf("%d/%d", ready, all) }
