package fold

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// fault is what is wrong with one object at one Member, as its agent says.
type fault struct{ member, reason, message string }

// isFault is whether a reason in a report says that something is wrong, and not merely that it is not done yet.
func isFault(reason string) bool {
	return !slices.Contains([]string{"", v1alpha1.ReasonReady, v1alpha1.ReasonProgressing, v1alpha1.ReasonWaiting, v1alpha1.ReasonUnreachable}, reason)
}

// faults are what the Members that are in contact say is wrong, sorted by Member.
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
	return faults(in, channel.Endorsing, func(p *v1alpha1.MemberPlan) (string, string) {
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

// mostFaults is how many Members a message names.
const mostFaults = 8

// faultText names every Member at which something is wrong, and what.
func faultText(found []fault) string {
	var parts []string
	for i, f := range found {
		if i == mostFaults {
			parts = append(parts, fmt.Sprintf("and %d more", len(found)-i))
			break
		}
		parts = append(parts, f.member+": "+short(f.message, f.reason))
	}
	return strings.Join(parts, "; ")
}

// short keeps a Member's words to a length that leaves room for the others'; what says nothing is its reason.
func short(message, reason string) string {
	const limit = 512
	switch {
	case message == "":
		return reason
	case len(message) > limit:
		return strings.ToValidUTF8(message[:limit], "") + "…"
	}
	return message
}

// faultVerdict puts what is wrong with an object into its own condition, under the reason of the first Member concerned.
func faultVerdict(summary string, found []fault) Verdict {
	return Verdict{metav1.ConditionFalse, found[0].reason, summary + "; " + faultText(found)}
}
