package plan

import (
	"maps"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Channel is an accepted channel with its defaults filled in.
type Channel struct {
	v1alpha1.PlanChannel
	// Ordering are the Members whose nodes order the channel, Holding those of its members whose nodes hold it and run its
	// contracts; sorted.
	Ordering, Holding []string
}

// Concerned are the Members that have nodes to join to the channel, sorted.
func (c *Channel) Concerned() []string {
	all := slices.Concat(c.Members, c.Ordering)
	slices.Sort(all)
	return slices.Compact(all)
}

func resolveChannel(in Input, channel *v1alpha1.Channel) Channel {
	members := channelMembers(in.Consortium, channel)
	c := Channel{
		PlanChannel: v1alpha1.PlanChannel{
			Name:        channel.Name,
			Members:     members,
			Endorsement: in.Planner.Endorsement(channel.Spec.Endorsement),
			Batch:       in.Planner.Batch(channel.Spec.Batch),
		},
		Ordering: orderingMembers(in, members),
	}
	for _, name := range members {
		if m := memberOf(in.Consortium, name); m != nil && runs(in, m, func(r ledger.Role) bool { return r.Holds }) {
			c.Holding = append(c.Holding, name)
		}
	}
	c.Leader = channelLeader(in.Consortium, &c)
	c.GenesisHash = genesisHash(in, channel.Name, c.Leader)
	return c
}

// channelMembers are the members of a channel, sorted; all of the Consortium's unless it names some.
func channelMembers(consortium *v1alpha1.Consortium, channel *v1alpha1.Channel) []string {
	members := slices.Clone(channel.Spec.Members)
	if len(members) == 0 {
		for _, m := range consortium.Spec.Members {
			members = append(members, m.Name)
		}
	}
	slices.Sort(members)
	return members
}

// orderingMembers are those whose nodes order a channel: the channel's members that run such nodes, or all of the
// Consortium's if none of the channel's does.
func orderingMembers(in Input, members []string) []string {
	var own, all []string
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		if !runs(in, m, func(r ledger.Role) bool { return r.Orders }) {
			continue
		}
		all = append(all, m.Name)
		if slices.Contains(members, m.Name) {
			own = append(own, m.Name)
		}
	}
	if len(own) == 0 {
		own = all
	}
	slices.Sort(own)
	return own
}

// channelLeader is the member that creates the first block and commits contracts: the Consortium's Leader if it holds
// the channel, else the first member that does.
func channelLeader(consortium *v1alpha1.Consortium, c *Channel) string {
	for _, m := range consortium.Spec.Members {
		if m.Role == v1alpha1.RoleLeader && slices.Contains(c.Holding, m.Name) {
			return m.Name
		}
	}
	if len(c.Holding) > 0 {
		return c.Holding[0]
	}
	return c.Members[0]
}

// runs is whether a Member runs a node with such a role.
func runs(in Input, m *v1alpha1.ConsortiumMember, is func(ledger.Role) bool) bool {
	return slices.ContainsFunc(in.Planner.Description().Roles, func(r ledger.Role) bool { return is(r) && in.Planner.Count(m, r.Name) > 0 })
}

// memberOf is a Member as the Consortium declares it; nil if it does not take part.
func memberOf(consortium *v1alpha1.Consortium, name string) *v1alpha1.ConsortiumMember {
	for i := range consortium.Spec.Members {
		if m := &consortium.Spec.Members[i]; m.Name == name {
			return m
		}
	}
	return nil
}

// organizations are Members as the ledger's planner knows them.
func organizations(in Input, names []string) []ledger.Organization {
	var all []ledger.Organization
	for _, name := range names {
		o := ledger.Organization{Member: name, ID: mspID(in, name), Nodes: map[v1alpha1.NodeRole]int32{}}
		if m := memberOf(in.Consortium, name); m != nil {
			for _, r := range in.Planner.Description().Roles {
				o.Nodes[r.Name] = in.Planner.Count(m, r.Name)
			}
		}
		all = append(all, o)
	}
	return all
}

// channelsFor are the channels that a Member is in or orders for, sorted by name.
func channelsFor(member string, resolved map[string]Channel) []v1alpha1.PlanChannel {
	own := map[string]Channel{}
	for name, c := range resolved {
		if slices.Contains(c.Members, member) || slices.Contains(c.Ordering, member) {
			own[name] = c
		}
	}
	return sortedChannels(own)
}

func sortedChannels(resolved map[string]Channel) []v1alpha1.PlanChannel {
	var channels []v1alpha1.PlanChannel
	for _, name := range slices.Sorted(maps.Keys(resolved)) {
		channels = append(channels, resolved[name].PlanChannel)
	}
	return channels
}
