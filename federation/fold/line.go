package fold

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// Line folds what the two ends say of a line into its status.
func Line(line *v1alpha1.Line, others []v1alpha1.Line, members map[string]*v1alpha1.Member, now time.Time) v1alpha1.LineStatus {
	finding := plan.JudgeLine(line, others, func(name string) bool { return members[name] != nil })
	status := v1alpha1.LineStatus{ObservedGeneration: line.Generation}
	for _, end := range line.Spec.Ends {
		if report := lineReport(line, members[end.Member]); report != nil {
			status.Ends = append(status.Ends, v1alpha1.LineEndStatus{
				From: end.Member, State: report.State, RTTMicroseconds: report.RTTMicroseconds,
				Active: report.Active, Reason: report.Reason,
			})
		}
	}
	ready := Verdict{metav1.ConditionFalse, finding.Reason, finding.Message}
	if finding.Accepted {
		ready = lineVerdict(line, members)
	}
	status.Conditions = Conditions(line.Status.Conditions, line.Generation, now, map[string]Verdict{
		v1alpha1.ConditionAccepted: Accepted(finding),
		v1alpha1.ConditionReady:    ready,
	})
	return status
}

// LineIsUp is the state of a line as both its ends have it. A direction is known from the end where it starts or, while
// the host does not hear that end, from what it told the far one.
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
	if report := heardReport(line, members[near.Member]); report != nil {
		return report.State
	}
	if report := heardReport(line, members[far.Member]); report != nil {
		return report.Reverse
	}
	return v1alpha1.LineUnknown
}

// lineReport is what a Member last said of a line, if it was about the same far end.
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

// heardReport is the report of a Member that is in contact.
func heardReport(line *v1alpha1.Line, member *v1alpha1.Member) *v1alpha1.LineReport {
	if Online(member) != metav1.ConditionTrue {
		return nil
	}
	return lineReport(line, member)
}

func lineVerdict(line *v1alpha1.Line, members map[string]*v1alpha1.Member) Verdict {
	a, b := line.Spec.Ends[0].Member, line.Spec.Ends[1].Member
	switch LineIsUp(line, members) {
	case v1alpha1.LineUp:
		return Verdict{metav1.ConditionTrue, v1alpha1.ReasonLineUp, fmt.Sprintf("%s and %s reach each other", a, b) + fullMessage(line, members)}
	case v1alpha1.LineDown:
		return Verdict{metav1.ConditionFalse, v1alpha1.ReasonLineDown, downMessage(line, members)}
	}
	for _, end := range line.Spec.Ends {
		if Online(members[end.Member]) != metav1.ConditionTrue {
			return Verdict{metav1.ConditionUnknown, v1alpha1.ReasonUnreachable, fmt.Sprintf("nothing heard of %s", end.Member)}
		}
	}
	return Verdict{metav1.ConditionUnknown, v1alpha1.ReasonWaiting, fmt.Sprintf("waiting for %s and %s to try the line", a, b)}
}

// lineReasons are sentences about why an end does not reach the other, with the end's own name put in. What exactly its
// gateway found is for that organization alone.
var lineReasons = map[v1alpha1.LineReason]string{
	v1alpha1.LineUnreachable:      "no gateway answers there: see whether the line is cut or the address is wrong; %s finds the details in its ConfigMap hanse-lines",
	v1alpha1.LineNotAuthenticated: "what answers there is not that Member's gateway, or does not accept this one: see whether the address is right; %s finds the details in its ConfigMap hanse-lines",
	v1alpha1.LineNotAllowed:       "%s does not allow its gateway to dial that address: correct the Line, or have it add the address to gateway.lines.allow of its chart",
}

// fullMessage names the ends that refuse connections over a line that is up.
func fullMessage(line *v1alpha1.Line, members map[string]*v1alpha1.Member) string {
	message := ""
	for _, end := range line.Spec.Ends {
		if report := heardReport(line, members[end.Member]); report != nil && report.Reason == v1alpha1.LineFull {
			message += fmt.Sprintf("; the gateway of %s is at its limit and refuses further connections over it", end.Member)
		}
	}
	return message
}

func downMessage(line *v1alpha1.Line, members map[string]*v1alpha1.Member) string {
	for _, end := range line.Spec.Ends {
		_, far, _ := plan.Ends(line, end.Member)
		report := heardReport(line, members[end.Member])
		if report == nil || report.State != v1alpha1.LineDown {
			continue
		}
		message := fmt.Sprintf("%s does not reach %s at %s:%d", end.Member, far.Member, far.Address, far.Port)
		if text := lineReasons[report.Reason]; text != "" {
			message += ": " + fmt.Sprintf(text, end.Member)
		}
		return message
	}
	return "one end tells the other that it does not reach it"
}

// lines folds the lines between every two Members of a Consortium.
func lines(in plan.Input) (progress, int, int) {
	var p progress
	up, pairs := 0, 0
	names, between := memberNames(in), linesByPair(in)
	for i, a := range names {
		for _, b := range names[i+1:] {
			pairs++
			switch state, declared := pairState(in, between[pair(a, b)]); {
			case !declared:
				p.miss("a Line between "+a+" and "+b, "be declared", "")
			case state == v1alpha1.LineUp:
				up++
			case state == v1alpha1.LineDown:
				p.miss("the line between "+a+" and "+b, "come up", "")
			default:
				p.unheardOf(fmt.Sprintf("the lines between %s and %s", a, b))
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

// linesByPair sorts the lines that are not being deleted by the two Members that they join.
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
