package plan

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Channel is an accepted channel with its defaults filled in.
type Channel struct {
	v1alpha1.PlanChannel
	// Ordering are the Members whose orderers serve the channel, Endorsing those that hold it on peers; sorted.
	Ordering, Endorsing []string
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
			Endorsement: resolveEndorsement(channel.Spec.Endorsement),
			Batch:       resolveBatch(channel.Spec.Batch),
		},
		Ordering: orderingMembers(in.Consortium, members),
	}
	for _, name := range members {
		if runsPeers(in.Consortium, name) {
			c.Endorsing = append(c.Endorsing, name)
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

// orderingMembers are those whose orderers serve a channel: the channel's members that run orderers, or all of the
// Consortium's if none of the channel's does.
func orderingMembers(consortium *v1alpha1.Consortium, members []string) []string {
	var own, all []string
	for i := range consortium.Spec.Members {
		m := &consortium.Spec.Members[i]
		if Orderers(m) == 0 {
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

// channelLeader is the member that creates the first block and commits contracts: the Consortium's Leader if it has a peer
// in the channel, else the first member that has one.
func channelLeader(consortium *v1alpha1.Consortium, c *Channel) string {
	for _, m := range consortium.Spec.Members {
		if m.Role == v1alpha1.RoleLeader && slices.Contains(c.Endorsing, m.Name) {
			return m.Name
		}
	}
	if len(c.Endorsing) > 0 {
		return c.Endorsing[0]
	}
	return c.Members[0]
}

// channelsFor are the channels that a Member is in or orders for, sorted by name.
func channelsFor(member string, resolved map[string]Channel) []v1alpha1.PlanChannel {
	var channels []v1alpha1.PlanChannel
	for _, c := range resolved {
		if slices.Contains(c.Members, member) || slices.Contains(c.Ordering, member) {
			channels = append(channels, c.PlanChannel)
		}
	}
	slices.SortFunc(channels, func(a, b v1alpha1.PlanChannel) int { return cmp.Compare(a.Name, b.Name) })
	return channels
}

func resolveBatch(batch *v1alpha1.Batch) v1alpha1.Batch {
	b := ptr.Deref(batch, v1alpha1.Batch{})
	absolute := ptr.Deref(b.AbsoluteMaxBytes, resource.MustParse("10Mi"))
	preferred := resource.MustParse("2Mi")
	if preferred.Cmp(absolute) > 0 {
		preferred = absolute
	}
	preferred = ptr.Deref(b.PreferredMaxBytes, preferred)
	timeout := ptr.Deref(b.Timeout, metav1.Duration{Duration: 500 * time.Millisecond})
	return v1alpha1.Batch{
		MaxMessages:      cmp.Or(b.MaxMessages, 500),
		AbsoluteMaxBytes: &absolute, PreferredMaxBytes: &preferred, Timeout: &timeout,
	}
}
