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
	status.Conditions = Conditions(line.Status.Conditions, line.Generation, now, map[string]Outcome{
		v1alpha1.ConditionAccepted: Accepted(validation),
		v1alpha1.ConditionReady:    ready,
	})
	return status
}

// LineIsUp is the state of a line in both directions. A direction's state is reported by the end where it starts or, while
// that Member is not online, by the far end as its reverse.
func LineIsUp(line *v1alpha1.Line, members map[string]*v1alpha1.Member) v1alpha1.LineState {
	state := v1alpha1.LineUp
	for _, end := range line.Spec.Ends {
		switch direction(line, end.Member, members) {
		case v1alpha1.LineDown:
			return v1alpha1.LineDown
		case v1alpha1.LineUp:
		default:
			state = v1alpha1.LineUnknown
		}
	}
	return state
}

func direction(line *v1alpha1.Line, from string, members map[string]*v1alpha1.Member) v1alpha1.LineState {
	near, far, ok := plan.Ends(line, from)
	if !ok {
		return v1alpha1.LineUnknown
	}
	if report := onlineReport(line, members[near.Member]); report != nil {
		return report.State
	}
	if report := onlineReport(line, members[far.Member]); report != nil {
		return report.Reverse
	}
	return v1alpha1.LineUnknown
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
	switch LineIsUp(line, members) {
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

// lines aggregates the lines between every two Members of a Consortium.
func lines(in plan.Input) (aggregate, int, int) {
	var p aggregate
	up, pairs := 0, 0
	names, between := memberNames(in), linesByPair(in)
	for i, a := range names {
		for _, b := range names[i+1:] {
			pairs++
			switch state, declared := pairState(in, between[pair(a, b)]); {
			case !declared:
				p.addPending("a Line between "+a+" and "+b, "be declared", "")
			case state == v1alpha1.LineUp:
				up++
			case state == v1alpha1.LineDown:
				p.addPending("the line between "+a+" and "+b, "come up", "")
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

// linesByPair groups the lines that are not being deleted by the two Members that they connect.
func linesByPair(in plan.Input) map[[2]string][]*v1alpha1.Line {
	lines := make(map[[2]string][]*v1alpha1.Line, len(in.Lines))
	for i := range in.Lines {
		line := &in.Lines[i]
		if len(line.Spec.Ends) != 2 || !line.DeletionTimestamp.IsZero() {
			continue
		}
		key := pair(line.Spec.Ends[0].Member, line.Spec.Ends[1].Member)
		lines[key] = append(lines[key], line)
	}
	return lines
}

// pairState is the best state among the lines between two Members.
func pairState(in plan.Input, between []*v1alpha1.Line) (state v1alpha1.LineState, declared bool) {
	state = v1alpha1.LineDown
	for _, line := range between {
		switch LineIsUp(line, in.Members) {
		case v1alpha1.LineUp:
			return v1alpha1.LineUp, true
		case v1alpha1.LineUnknown:
			state = v1alpha1.LineUnknown
		}
	}
	return state, len(between) > 0
}
