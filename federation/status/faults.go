package status

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// fault is what a Member's agent reports to be wrong with one object.
type fault struct{ member, reason, message string }

// isFault is whether a reason in a report means that something is wrong, and not merely that it is not done yet.
func isFault(reason string) bool {
	return !slices.Contains([]string{"", v1alpha1.ReasonReady, v1alpha1.ReasonProgressing, v1alpha1.ReasonWaiting, v1alpha1.ReasonUnreachable}, reason)
}

// faults are those that the online Members report, sorted by Member.
func faults(in plan.Input, members []string, report func(*v1alpha1.MemberPlan) (reason, message string)) []fault {
	var found []fault
	for _, name := range slices.Sorted(slices.Values(members)) {
		if in.Plans[name] == nil || Online(in.Members[name]) != metav1.ConditionTrue {
			continue
		}
		if reason, message := report(in.Plans[name]); isFault(reason) {
			found = append(found, fault{name, reason, message})
		}
	}
	return found
}

func contractFaults(in plan.Input, res plan.Result, contract *v1alpha1.Contract) []fault {
	channel := res.Resolved[contract.Spec.Channel]
	return faults(in, channel.Holding, func(p *v1alpha1.MemberPlan) (string, string) {
		report := contractReport(p, contract.Spec.Channel, contract.LedgerName())
		return report.Reason, report.Message
	})
}

func channelFaults(in plan.Input, c plan.Channel) []fault {
	return faults(in, c.Concerned(), func(p *v1alpha1.MemberPlan) (string, string) {
		report := channelReport(p, c.Name)
		return report.Reason, report.Message
	})
}

// maxFaults is how many Members a message names.
const maxFaults = 8

// faultText names every Member at which something is wrong, and what.
func faultText(found []fault) string {
	var parts []string
	for i, f := range found {
		if i == maxFaults {
			parts = append(parts, fmt.Sprintf("and %d more", len(found)-i))
			break
		}
		parts = append(parts, f.member+": "+shorten(f.message, f.reason))
	}
	return strings.Join(parts, "; ")
}

// shorten limits a Member's message to 512 bytes, which leaves room for others; an empty message becomes the reason.
func shorten(message, reason string) string {
	const limit = 512
	switch {
	case message == "":
		return reason
	case len(message) > limit:
		return strings.ToValidUTF8(message[:limit], "") + "…"
	}
	return message
}

// faultOutcome is the outcome of an object's Ready condition when Members report faults, with the first one's reason.
func faultOutcome(summary string, found []fault) Outcome {
	return Outcome{metav1.ConditionFalse, found[0].reason, summary + "; " + faultText(found)}
}
