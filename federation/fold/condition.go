// Package fold folds what Members report into the statuses of the objects on the host: a Line, a Channel, a Contract, a
// Consortium. It is pure and takes the time as an argument; it must know nothing of clients or controllers.
//
// Three rules hold everywhere. What an agent has said is worth nothing once the agent is not in contact: lost contact
// makes Unknown, never False. Something that is known to be missing makes False, whatever else is unknown. And a status
// says for whom it waits.
package fold

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

// Verdict is what a condition is going to say.
type Verdict struct {
	Status  metav1.ConditionStatus
	Reason  string
	Message string
}

// Conditions turns verdicts into conditions sorted by type. A condition whose status stays keeps its transition time.
func Conditions(previous []metav1.Condition, generation int64, now time.Time, verdicts map[string]Verdict) []metav1.Condition {
	conditions := make([]metav1.Condition, 0, len(verdicts))
	for kind, v := range verdicts {
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

// Accepted is the verdict on the condition Accepted.
func Accepted(finding plan.Finding) Verdict {
	if finding.Accepted {
		return Verdict{metav1.ConditionTrue, finding.Reason, finding.Message}
	}
	return Verdict{metav1.ConditionFalse, finding.Reason, finding.Message}
}

// Online is whether a Member's agent is in contact: True or Unknown.
func Online(member *v1alpha1.Member) metav1.ConditionStatus {
	if member != nil && meta.IsStatusConditionTrue(member.Status.Conditions, v1alpha1.MemberOnline) {
		return metav1.ConditionTrue
	}
	return metav1.ConditionUnknown
}

// progress collects what is missing and who has not been heard of.
type progress struct {
	missing []wish
	failed  []string
	unheard []string
}

// wish is something that is waited for: who is to do what, and why that one has not done it, as far as is known.
type wish struct{ who, what, why string }

// miss notes something that has not been done yet: "waiting for who to do what".
func (p *progress) miss(who, what, why string) {
	p.missing = append(p.missing, wish{who, what, why})
}

func (p *progress) fail(format string, args ...any) {
	p.failed = append(p.failed, fmt.Sprintf(format, args...))
}

func (p *progress) unheardOf(member string) {
	if !slices.Contains(p.unheard, member) {
		p.unheard = append(p.unheard, member)
	}
}

func (p *progress) join(other progress) {
	p.missing = append(p.missing, other.missing...)
	p.failed = append(p.failed, other.failed...)
	for _, member := range other.unheard {
		p.unheardOf(member)
	}
}

// outstanding says in a few words what is amiss; empty if nothing is.
func (p *progress) outstanding() string {
	switch {
	case len(p.failed) > 0:
		return some(p.failed)
	case len(p.missing) > 0:
		return "waiting for " + wishes(p.missing)
	case len(p.unheard) > 0:
		return "nothing heard of " + some(p.unheard)
	}
	return ""
}

// verdict puts progress into a condition; summary is what there is, such as "3/4 nodes".
func (p *progress) verdict(summary string) Verdict {
	message := summary
	if rest := p.outstanding(); rest != "" {
		message += "; " + rest
	}
	switch {
	case len(p.failed) > 0:
		return Verdict{metav1.ConditionFalse, v1alpha1.ReasonFailed, message}
	case len(p.missing) > 0:
		return Verdict{metav1.ConditionFalse, v1alpha1.ReasonWaiting, message}
	case len(p.unheard) > 0:
		return Verdict{metav1.ConditionUnknown, v1alpha1.ReasonUnreachable, message}
	}
	return Verdict{metav1.ConditionTrue, v1alpha1.ReasonReady, message}
}

// wishes says the first thing that is waited for, of everybody that it is waited for from, and counts the others.
func wishes(missing []wish) string {
	var who []string
	why := ""
	for _, w := range missing {
		if w.what != missing[0].what {
			continue
		}
		who = append(who, w.who)
		if why == "" && w.why != "" {
			why = " (" + w.why + ")"
		}
	}
	if rest := len(missing) - len(who); rest > 0 {
		why += fmt.Sprintf(", and %d more", rest)
	}
	return strings.Join(who, ", ") + " to " + missing[0].what + why
}

// some names the first of several things and counts the others.
func some(things []string) string {
	if len(things) == 1 {
		return things[0]
	}
	return fmt.Sprintf("%s and %d more", things[0], len(things)-1)
}

func ratio(ready, all int) string { return fmt.Sprintf("%d/%d", ready, all) }
