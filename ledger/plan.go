package ledger

import (
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// NodesOf lists a Member's nodes of one role, sorted by name.
func NodesOf(member v1alpha1.PlanMember, role v1alpha1.NodeRole) []string {
	var names []string
	for _, node := range member.Nodes {
		if node.Role == role {
			names = append(names, node.Name)
		}
	}
	slices.Sort(names)
	return names
}

// MemberOf finds a Member in a plan by name.
func MemberOf(plan *v1alpha1.MemberPlan, name string) (v1alpha1.PlanMember, bool) {
	at := slices.IndexFunc(plan.Spec.Members, func(m v1alpha1.PlanMember) bool { return m.Name == name })
	if at < 0 {
		return v1alpha1.PlanMember{}, false
	}
	return plan.Spec.Members[at], true
}

// LeaderOf names the Member that makes a channel's first block and commits its contracts: who the plan says, or the
// Consortium's Leader.
func LeaderOf(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel) string {
	if channel.Leader != "" {
		return channel.Leader
	}
	for _, member := range plan.Spec.Members {
		if member.Role == v1alpha1.RoleLeader {
			return member.Name
		}
	}
	return ""
}
