package status

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
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
		summary := fmt.Sprintf("%s orderers, %s peers", status.Orderers, status.Peers)
		ready = p.outcome(summary)
		if found := channelFaults(in, resolved); len(found) > 0 {
			ready = faultOutcome(summary, found)
		}
		if !res.Consortium.Accepted {
			ready = Outcome{metav1.ConditionFalse, v1alpha1.ReasonWaiting, "waiting for consortium " + in.Consortium.Name + " to be accepted"}
		}
	}
	status.Conditions = Conditions(channel.Status.Conditions, channel.Generation, now, map[string]Outcome{
		v1alpha1.ConditionAccepted: Accepted(validation),
		v1alpha1.ConditionReady:    ready,
	})
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
	var orderers, allOrderers, peers, allPeers int
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		report := channelReport(in.Plans[m.Name], c.Name)
		var done joined
		if slices.Contains(c.Ordering, m.Name) {
			allOrderers += int(in.Planner.Count(m, v1alpha1.RoleOrderer))
			done.orderers = countNodes(report.Orderers, v1alpha1.RoleOrderer, in.Planner.Count(m, v1alpha1.RoleOrderer), m.Name)
			done.ofOrderers = int(in.Planner.Count(m, v1alpha1.RoleOrderer))
		}
		if slices.Contains(c.Members, m.Name) {
			allPeers += int(in.Planner.Count(m, v1alpha1.RolePeer))
			done.peers = countNodes(report.Peers, v1alpha1.RolePeer, in.Planner.Count(m, v1alpha1.RolePeer), m.Name)
			done.ofPeers = int(in.Planner.Count(m, v1alpha1.RolePeer))
		} else if !slices.Contains(c.Ordering, m.Name) {
			continue
		}
		orderers, peers = orderers+done.orderers, peers+done.peers
		status.Height = max(status.Height, report.Height)
		compareGenesis(&p, &status, m.Name, c.Name, report.GenesisHash)
		addChannelProgress(&p, in, c, m.Name, report, done)
	}
	status.Orderers, status.Peers = ratio(orderers, allOrderers), ratio(peers, allPeers)
	return p, status
}

type joined struct{ orderers, ofOrderers, peers, ofPeers int }

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
func addChannelProgress(p *aggregate, in plan.Input, c plan.Channel, member string, report v1alpha1.PlanChannelStatus, done joined) {
	switch {
	case Online(in.Members[member]) != metav1.ConditionTrue:
		p.addUnreachable(member)
	case c.GenesisHash == "":
		if member == c.Leader {
			p.addPending(member, "make the first block of channel "+c.Name, report.Message)
		}
	case done.orderers < done.ofOrderers:
		p.addPending(member, "join its orderers to channel "+c.Name, report.Message)
	case done.peers < done.ofPeers:
		p.addPending(member, "join its peers to channel "+c.Name, report.Message)
	case done.ofPeers > 0 && !report.AnchorsSet:
		p.addPending(member, "name its anchor peers on channel "+c.Name, report.Message)
	}
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
