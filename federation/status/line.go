package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// Line aggregates the reports of a line's two ends into its status.
func Line(line *v1alpha1.Line, others []v1alpha1.Line, members map[string]*v1alpha1.Member, now time.Time) v1alpha1.LineStatus {
	validation := plan.ValidateLine(line, others, func(name string) bool { return members[name] != nil })
	status := v1alpha1.LineStatus{ObservedGeneration: line.Generation}
	for _, end := range line.Spec.Ends {
		if report := lineReport(line, members[end.Member]); report != nil {
			status.Ends = append(status.Ends, v1alpha1.LineEndStatus{
				From: end.Member, State: report.State, RTTMicroseconds: report.RTTMicroseconds,
				Active: report.Active, Reason: report.Reason,
			})
		}
	}
	ready := Outcome{metav1.ConditionFalse, validation.Reason, validation.Message}
	if validation.Accepted {
		ready = lineOutcome(line, members)
	}
	status.Conditions = Conditions(line.Status.Conditions, line.Generation, now, withStalled(map[string]Outcome{
		v1alpha1.ConditionAccepted: Accepted(validation),
		v1alpha1.ConditionReady:    ready,
	}))
	return status
}

// lineState is the state of a line in both directions.
func lineState(line *v1alpha1.Line, members map[string]*v1alpha1.Member) v1alpha1.LineState {
	if len(line.Spec.Ends) != 2 {
		return v1alpha1.LineUnknown
	}
	a, b := lineEndReport(line, members[line.Spec.Ends[0].Member]), lineEndReport(line, members[line.Spec.Ends[1].Member])
	return bothWays(oneWay(a, b), oneWay(b, a))
}

// lineEndReport is what one end says of a line; nil if the Member is not online, or says nothing.
func lineEndReport(line *v1alpha1.Line, member *v1alpha1.Member) *endReport {
	if report := onlineReport(line, member); report != nil {
		return &endReport{report.State, report.Reverse}
	}
	return nil
}

// lineReport is a Member's last report of a line, if it was about the same far end.
func lineReport(line *v1alpha1.Line, member *v1alpha1.Member) *v1alpha1.LineReport {
	if member == nil {
		return nil
	}
	_, far, ok := plan.Ends(line, member.Name)
	for i := range member.Status.Lines {
		if report := &member.Status.Lines[i]; ok && report.Name == line.Name && report.Member == far.Member {
			return report
		}
	}
	return nil
}

// onlineReport is a Member's report of a line; nil if the Member is not online.
func onlineReport(line *v1alpha1.Line, member *v1alpha1.Member) *v1alpha1.LineReport {
	if Online(member) != metav1.ConditionTrue {
		return nil
	}
	return lineReport(line, member)
}

func lineOutcome(line *v1alpha1.Line, members map[string]*v1alpha1.Member) Outcome {
	a, b := line.Spec.Ends[0].Member, line.Spec.Ends[1].Member
	switch lineState(line, members) {
	case v1alpha1.LineUp:
		return Outcome{metav1.ConditionTrue, v1alpha1.ReasonLineUp, fmt.Sprintf("%s and %s reach each other", a, b) + fullMessage(line, members)}
	case v1alpha1.LineDown:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonLineDown, downMessage(line, members)}
	}
	for _, end := range line.Spec.Ends {
		if Online(members[end.Member]) != metav1.ConditionTrue {
			return Outcome{metav1.ConditionUnknown, v1alpha1.ReasonUnreachable, fmt.Sprintf("no contact with %s", end.Member)}
		}
	}
	return Outcome{metav1.ConditionUnknown, v1alpha1.ReasonWaiting, fmt.Sprintf("waiting for %s and %s to probe the line", a, b)}
}

// lineReasons are the messages for a line that is down, with the name of the reporting end as their argument. The details
// are for that organization alone.
var lineReasons = map[v1alpha1.LineReason]string{
	v1alpha1.LineUnreachable:      "no gateway answers there: check the network and the address; %s finds the details in its ConfigMap hanse-lines",
	v1alpha1.LineNotAuthenticated: "what answers there is not that Member's gateway, or does not accept this one: check the address; %s finds the details in its ConfigMap hanse-lines",
	v1alpha1.LineNotAllowed:       "%s does not allow its gateway to dial that address: correct the Line, or have it add the address to gateway.lines.allow of its chart",
}

// fullMessage names the ends that reject connections over a line that is up.
func fullMessage(line *v1alpha1.Line, members map[string]*v1alpha1.Member) string {
	message := ""
	for _, end := range line.Spec.Ends {
		if report := onlineReport(line, members[end.Member]); report != nil && report.Reason == v1alpha1.LineFull {
			message += fmt.Sprintf("; the gateway of %s is at its limit and rejects further connections over it", end.Member)
		}
	}
	return message
}

func downMessage(line *v1alpha1.Line, members map[string]*v1alpha1.Member) string {
	for _, end := range line.Spec.Ends {
		_, far, _ := plan.Ends(line, end.Member)
		report := onlineReport(line, members[end.Member])
		if report == nil || report.State != v1alpha1.LineDown {
			continue
		}
		message := fmt.Sprintf("%s does not reach %s at %s:%d", end.Member, far.Member, far.Address, far.Port)
		if text := lineReasons[report.Reason]; text != "" {
			message += ": " + fmt.Sprintf(text, end.Member)
		}
		return message
	}
	return "one end reports that it does not reach the other"
}

// lines aggregates how every two Members of a Consortium reach each other, as their agents report it.
func lines(in plan.Input) (aggregate, int, int) {
	var p aggregate
	up, pairs := 0, 0
	names, declared, reached := memberNames(in), declaredPairs(in), reachedMembers(in)
	for i, a := range names {
		for _, b := range names[i+1:] {
			pairs++
			if !declared[pair(a, b)] {
				p.addPending("a Line between "+a+" and "+b, "be declared", "")
				continue
			}
			switch atA, atB := reached.of(a, b), reached.of(b, a); bothWays(oneWay(atA, atB), oneWay(atB, atA)) {
			case v1alpha1.LineDown:
				p.addPending("the line between "+a+" and "+b, "come up", "")
			case v1alpha1.LineUp:
				up++
			default:
				p.addUnreachable(fmt.Sprintf("the ends of the lines between %s and %s", a, b))
			}
		}
	}
	return p, up, pairs
}

// pair is a key for two Members, whichever comes first.
func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

// declaredPairs are the Members between whom there is a line that is not being deleted.
func declaredPairs(in plan.Input) map[[2]string]bool {
	declared := make(map[[2]string]bool, len(in.Lines))
	for i := range in.Lines {
		if ends := in.Lines[i].Spec.Ends; len(ends) == 2 && in.Lines[i].DeletionTimestamp.IsZero() {
			declared[pair(ends[0].Member, ends[1].Member)] = true
		}
	}
	return declared
}

// reached is what agents that are online report in their plans, by who reports and of whom.
type reached map[[2]string]*endReport

func reachedMembers(in plan.Input) reached {
	r := reached{}
	for name, reported := range in.Plans {
		if Online(in.Members[name]) != metav1.ConditionTrue {
			continue
		}
		for _, line := range reported.Status.Lines {
			r[[2]string{name, line.Member}] = &endReport{line.State, line.Reverse}
		}
	}
	return r
}

// of is what one Member says of the lines to another; nil if nothing is heard of it.
func (r reached) of(from, to string) *endReport { return r[[2]string{from, to}] }
