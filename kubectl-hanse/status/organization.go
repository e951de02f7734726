package status

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// online is whether the Member's agent is in contact. What others have said is no more than the last that is known.
func (m MemberSnapshot) online() bool {
	return meta.IsStatusConditionTrue(m.Member.Status.Conditions, v1alpha1.MemberOnline)
}

// at draws one organization's part of an object below that object. Only what is not as it should be gets a row.
func at(m MemberSnapshot, r row) []row {
	r.name = "at " + m.Member.Name
	if !m.online() {
		r.mark, r.text = unknown, lastKnown(r.text)
	}
	if r.mark == done {
		return nil
	}
	return []row{r}
}

func lastKnown(text string) string {
	return "not heard of; last known: " + cmp.Or(text, "nothing was wrong")
}

// channelAt is what the organizations report of a channel.
func channelAt(s Snapshot, channel v1alpha1.Channel) []row {
	var rows []row
	for _, m := range s.Members {
		if concerned, _ := planned(s, m, channel.Name); concerned {
			rows = append(rows, at(m, channelReport(m.Plan, channel))...)
		}
	}
	return rows
}

// planned is whether a Member's plan has a channel, and whether the Member is a member of that. Large plans refer to a definition
// for the channels that concern all Members: these are in no plan as a whole. What the definition says of them is not read, so
// that people need no further rights: who is in a channel is in the Channel too.
func planned(s Snapshot, m MemberSnapshot, channel string) (concerned, member bool) {
	if c := wholeChannel(m, channel); c != nil {
		return true, slices.Contains(c.Members, m.Member.Name)
	}
	if m.Plan.Spec.Definition == nil || slices.ContainsFunc(s.Members, func(o MemberSnapshot) bool { return wholeChannel(o, channel) != nil }) {
		return false, false
	}
	for i := range s.Channels {
		if c := &s.Channels[i]; c.Name == channel && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionAccepted) {
			return true, len(c.Spec.Members) == 0 || slices.Contains(c.Spec.Members, m.Member.Name)
		}
	}
	return false, false
}

// wholeChannel is a channel in a stored plan; nil if it has none, or only what is for that Member alone.
func wholeChannel(m MemberSnapshot, channel string) *v1alpha1.PlanChannel {
	for i := range m.Plan.Spec.Channels {
		if c := &m.Plan.Spec.Channels[i]; c.Name == channel && len(c.Members) > 0 {
			return c
		}
	}
	return nil
}

func channelReport(plan v1alpha1.MemberPlan, channel v1alpha1.Channel) row {
	for _, c := range plan.Status.Channels {
		agreed := channel.Status.GenesisHash
		switch {
		case c.Name != channel.Name:
			continue
		case c.Message == "" && agreed != "" && c.GenesisHash != "" && c.GenesisHash != agreed:
			return row{mark: failed, text: "holds another first block than the others"}
		}
		return stateRow("", c.Message == "", c.Reason, c.Message)
	}
	return row{mark: waiting, text: "has not reported of it yet"}
}

// contractAt is what the organizations report of a contract: those that are in its channel and have a node to run it for.
func contractAt(s Snapshot, contract v1alpha1.Contract) []row {
	var rows []row
	for _, m := range s.Members {
		_, member := planned(s, m, contract.Spec.Channel)
		if member && slices.ContainsFunc(m.Plan.Spec.Nodes, func(n v1alpha1.PlanNode) bool { return s.holds(n.Role) }) {
			rows = append(rows, at(m, contractReport(m.Plan, contract))...)
		}
	}
	return rows
}

// holds is whether nodes of a role hold channels and run contracts for them; of a ledger that the plugin does not know, all may.
func (s Snapshot) holds(name v1alpha1.NodeRole) bool {
	planner := s.Planners.Of(s.Consortium.Spec.Ledger)
	if planner == nil {
		return true
	}
	role, _ := planner.Description().Role(name)
	return role.Holds
}

func contractReport(plan v1alpha1.MemberPlan, contract v1alpha1.Contract) row {
	for _, c := range plan.Status.Contracts {
		if c.Channel != contract.Spec.Channel || c.Name != contract.LedgerName() {
			continue
		}
		declared := contract.Status.DefinitionHash
		stale := declared != "" && c.Definition != declared
		text := cmp.Or(c.Message, c.Differs)
		switch {
		case text != "":
		case !c.Running:
			text = "its workload is not ready yet"
		case stale:
			text = "has not taken up yet what is declared now"
		}
		return stateRow("", c.Running && c.Message == "" && !stale, c.Reason, text)
	}
	return row{mark: waiting, text: "has not reported of it yet"}
}

// lineFaults say what is wrong at one end of a line, of the other end and its address.
var lineFaults = map[v1alpha1.LineReason]string{
	v1alpha1.LineUnreachable:      "does not reach %s: no gateway answers at %s",
	v1alpha1.LineNotAuthenticated: "does not reach %s: what answers at %s does not prove to be its gateway, or does not accept this one",
	v1alpha1.LineNotAllowed:       "does not reach %s: its own policy does not let its gateway dial %s (gateway.lines.allow of its chart)",
	v1alpha1.LineFull:             "its gateway is at its limit and refuses further connections from %s (%s)",
}

func lineRows(s Snapshot) []row {
	rows := make([]row, 0, len(s.Lines))
	for _, line := range s.Lines {
		r := objectRow(line.Name, line.Status.Conditions, lineAt(s, line))
		for _, end := range line.Status.Ends {
			if end.RTTMicroseconds > 0 {
				r.text += fmt.Sprintf("  %s: %.1f ms", end.From, float64(end.RTTMicroseconds)/1000)
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// lineAt is what the two ends of a line say of it, each of the way to the other.
func lineAt(s Snapshot, line v1alpha1.Line) []row {
	var rows []row
	for _, m := range s.Members {
		far := slices.IndexFunc(line.Spec.Ends, func(e v1alpha1.LineEnd) bool { return e.Member != m.Member.Name })
		if far < 0 {
			continue
		}
		for _, end := range line.Status.Ends {
			if end.From == m.Member.Name {
				rows = append(rows, at(m, lineEnd(end, line.Spec.Ends[far]))...)
			}
		}
	}
	return rows
}

func lineEnd(end v1alpha1.LineEndStatus, far v1alpha1.LineEnd) row {
	address := fmt.Sprintf("%s:%d", far.Address, far.Port)
	if end.State == v1alpha1.LineUp && end.Reason != v1alpha1.LineFull {
		return row{mark: done}
	}
	if text := lineFaults[end.Reason]; text != "" {
		return row{mark: failed, text: fmt.Sprintf(text, far.Member, address), reason: string(end.Reason)}
	}
	if end.State == v1alpha1.LineDown {
		return row{mark: failed, text: fmt.Sprintf("does not reach %s at %s", far.Member, address)}
	}
	return row{mark: waiting, text: "has not tried the line yet"}
}
