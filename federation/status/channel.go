package status

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/ledger"
)

// Channel aggregates what the Members report of a channel into its status.
func Channel(in plan.Input, res plan.Result, channel *v1alpha1.Channel, now time.Time) v1alpha1.ChannelStatus {
	validation := res.Channels[channel.Name]
	status := v1alpha1.ChannelStatus{ObservedGeneration: channel.Generation}
	ready := Outcome{metav1.ConditionFalse, validation.Reason, validation.Message}
	if resolved, ok := res.Resolved[channel.Name]; ok {
		var p aggregate
		p, status = channelProgress(in, resolved)
		status.ObservedGeneration = channel.Generation
		summary := joinedSummary(in.Planner.Description(), status)
		ready = p.outcome(summary)
		if found := channelFaults(in, resolved); len(found) > 0 {
			ready = faultOutcome(summary, found)
		}
		if !res.Consortium.Accepted {
			ready = Outcome{metav1.ConditionFalse, v1alpha1.ReasonWaiting, "waiting for consortium " + in.Consortium.Name + " to be accepted"}
		}
	}
	status.Conditions = Conditions(channel.Status.Conditions, channel.Generation, now, withStalled(map[string]Outcome{
		v1alpha1.ConditionAccepted: Accepted(validation),
		v1alpha1.ConditionReady:    ready,
	}))
	return status
}

// OrphanedChannel is the status of a channel whose Consortium does not exist.
func OrphanedChannel(channel *v1alpha1.Channel, now time.Time) v1alpha1.ChannelStatus {
	res := plan.Result{Channels: map[string]plan.ValidationResult{channel.Name: plan.UnknownConsortium(channel)}}
	return Channel(plan.Input{}, res, channel, now)
}

// channelProgress counts the nodes that have joined. The returned status has no conditions yet.
func channelProgress(in plan.Input, c plan.Channel) (aggregate, v1alpha1.ChannelStatus) {
	var p aggregate
	status := v1alpha1.ChannelStatus{Members: c.Members}
	description := in.Planner.Description()
	joined, all := map[v1alpha1.NodeRole]int{}, map[v1alpha1.NodeRole]int{}
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		if !slices.Contains(c.Members, m.Name) && !slices.Contains(c.Ordering, m.Name) {
			continue
		}
		report := channelReport(in.Plans[m.Name], c.Name)
		for _, step := range description.Steps {
			planned := stepNodes(in, c, m, step)
			all[step.Role] += int(planned)
			joined[step.Role] += countNodes(ledger.StepOf(report, step.Name).Nodes, step.Role, planned, m.Name)
		}
		status.Height = max(status.Height, report.Height)
		compareGenesis(&p, &status, m.Name, c.Name, report.GenesisHash)
		addChannelProgress(&p, in, c, m, report)
	}
	for _, role := range description.Roles {
		status.Nodes = append(status.Nodes, v1alpha1.ChannelNodes{Role: role.Name, Joined: ratio(joined[role.Name], all[role.Name])})
	}
	return p, status
}

// joinedSummary is how many nodes have joined, by role: "3/3 orderers, 2/3 peers".
func joinedSummary(description ledger.Description, status v1alpha1.ChannelStatus) string {
	var parts []string
	for _, n := range status.Nodes {
		if role, ok := description.Role(n.Role); ok {
			parts = append(parts, n.Joined+" "+role.Noun+"s")
		}
	}
	return strings.Join(parts, ", ")
}

// stepNodes is at how many nodes a Member has to do a step in a channel; 0 for one that is done once.
func stepNodes(in plan.Input, c plan.Channel, m *v1alpha1.ConsortiumMember, step ledger.Step) int32 {
	role, ok := in.Planner.Description().Role(step.Role)
	concerned := c.Members
	if role.Orders {
		concerned = c.Ordering
	}
	if !ok || !slices.Contains(concerned, m.Name) {
		return 0
	}
	return in.Planner.Count(m, step.Role)
}

// compareGenesis checks that the Members' first blocks are the same.
func compareGenesis(p *aggregate, status *v1alpha1.ChannelStatus, member, channel, hash string) {
	switch {
	case hash == "" || hash == status.GenesisHash:
	case status.GenesisHash == "":
		status.GenesisHash = hash
	default:
		p.addFailed("%s holds another first block of channel %s than the others", member, channel)
	}
}

// addChannelProgress adds what one Member still has to do for a channel.
func addChannelProgress(p *aggregate, in plan.Input, c plan.Channel, m *v1alpha1.ConsortiumMember, report v1alpha1.PlanChannelStatus) {
	switch {
	case Online(in.Members[m.Name]) != metav1.ConditionTrue:
		p.addUnreachable(m.Name)
	case c.GenesisHash == "":
		if m.Name == c.Leader {
			p.addPending(m.Name, "make the first block of channel "+c.Name, report.Message)
		}
	default:
		if step, pending := pendingStep(in, c, m, report); pending {
			p.addPending(m.Name, step.What+" "+c.Name, report.Message)
		}
	}
}

// pendingStep is the first step that a Member has not done in a channel.
func pendingStep(in plan.Input, c plan.Channel, m *v1alpha1.ConsortiumMember, report v1alpha1.PlanChannelStatus) (ledger.Step, bool) {
	steps := in.Planner.Description().Steps
	for _, step := range steps {
		done := ledger.StepOf(report, step.Name)
		if step.Role != "" {
			planned := stepNodes(in, c, m, step)
			if countNodes(done.Nodes, step.Role, planned, m.Name) < int(planned) {
				return step, true
			}
			continue
		}
		after := slices.IndexFunc(steps, func(s ledger.Step) bool { return s.Name == step.After })
		concerned := after < 0 || stepNodes(in, c, m, steps[after]) > 0
		if concerned && !done.Done {
			return step, true
		}
	}
	return ledger.Step{}, false
}

func channelReport(plan *v1alpha1.MemberPlan, channel string) v1alpha1.PlanChannelStatus {
	if plan != nil {
		for _, report := range plan.Status.Channels {
			if report.Name == channel {
				return report
			}
		}
	}
	return v1alpha1.PlanChannelStatus{}
}

// countNodes counts the nodes of a Member that are planned and among those named.
func countNodes(named []string, role v1alpha1.NodeRole, planned int32, member string) int {
	count := 0
	for i := range planned {
		if slices.Contains(named, v1alpha1.NodeName(role, i, member)) {
			count++
		}
	}
	return count
}
