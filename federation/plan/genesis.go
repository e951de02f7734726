package plan

import (
	"maps"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// genesisHash is the hash of a channel's first block: the one that is in a plan already, as it never changes, or else the
// one that the channel's leader has published.
func genesisHash(in Input, channel, leader string) string {
	for _, name := range append([]string{leader}, slices.Sorted(maps.Keys(in.Plans))...) {
		if c := plannedChannel(in.Plans[name], channel); c != nil && c.GenesisHash != "" {
			return c.GenesisHash
		}
	}
	if c := ReportedChannel(in.Plans[leader], channel); c != nil && v1alpha1.IsDigest(c.GenesisHash) {
		return c.GenesisHash
	}
	return ""
}

// distributeGenesis refers, in the plans of the Members that do not hold a first block yet, to a statement with it, and
// requests a statement from a Member that holds the block where there is none.
func distributeGenesis(in Input, res *Result) {
	h := newGenesisDistribution(in, res)
	most := maxFirstBlocks
	if len(in.Consortium.Spec.Members) > maxRelayedMembers {
		most /= 2
	}
	for member := range res.Plans {
		h.next[member] = firstBlocks(h.needed(member, res.Resolved), most)
	}
	for _, name := range slices.Sorted(maps.Keys(res.Resolved)) {
		c := res.Resolved[name]
		h.distribute(&c)
	}
}

// maxFirstBlocks is how many first blocks a plan refers to at once: a new Member of a consortium with hundreds of channels takes
// them in turns, so that its plan does not grow with their number. In the meantime it gets others by gossip. Large plans, of
// consortia with more than maxRelayedMembers, refer to half as many.
const maxFirstBlocks = 32

// genesisDistribution has lookup tables by Member and channel.
type genesisDistribution struct {
	// next are the channels whose first blocks the plans refer to, of those that the Members need.
	next     map[string]map[string]bool
	result   map[string]map[string]*v1alpha1.PlanChannel
	planned  map[string]map[string]*v1alpha1.PlanChannel
	reported map[string]map[string]*v1alpha1.PlanChannelStatus
}

func newGenesisDistribution(in Input, res *Result) genesisDistribution {
	h := genesisDistribution{
		next:   map[string]map[string]bool{},
		result: map[string]map[string]*v1alpha1.PlanChannel{}, planned: map[string]map[string]*v1alpha1.PlanChannel{},
		reported: map[string]map[string]*v1alpha1.PlanChannelStatus{},
	}
	for member, plan := range in.Plans {
		h.planned[member] = byName(plan.Spec.Channels, func(c *v1alpha1.PlanChannel) string { return c.Name })
		h.reported[member] = byName(plan.Status.Channels, func(c *v1alpha1.PlanChannelStatus) string { return c.Name })
	}
	for member := range res.Plans {
		h.result[member] = byName(res.Plans[member].Channels, func(c *v1alpha1.PlanChannel) string { return c.Name })
	}
	return h
}

func byName[T any](list []T, name func(*T) string) map[string]*T {
	found := make(map[string]*T, len(list))
	for i := range list {
		found[name(&list[i])] = &list[i]
	}
	return found
}

// distribute refers to one channel's first block in the plans that need it.
func (h genesisDistribution) distribute(c *Channel) {
	if c.GenesisHash == "" {
		return
	}
	concerned := append([]string{c.Leader}, c.Concerned()...)
	var published *v1alpha1.StatementRef
	looked, wanted := false, false
	for _, member := range concerned[1:] {
		target := h.target(member, c)
		if target == nil {
			continue
		}
		if !looked {
			published, looked = h.published(concerned, c), true
		}
		// A plan that has not been written yet does not cause a request.
		wanted = wanted || (published == nil && h.planned[member] != nil)
		target.Genesis = published.DeepCopy()
	}
	if !wanted {
		return
	}
	for _, member := range concerned {
		if asked := h.result[member][c.Name]; asked != nil && h.holds(member, c) {
			asked.GenesisRequested = true
			return
		}
	}
}

// needed are the channels whose first blocks a Member needs, for it does not report to hold one, this or another; by their
// leaders, and sorted by name.
func (h genesisDistribution) needed(member string, resolved map[string]Channel) map[string][]string {
	byLeader := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(h.result[member])) {
		c, known := resolved[name]
		if report := h.reported[member][name]; known && c.GenesisHash != "" && (report == nil || report.GenesisHash == "") {
			byLeader[c.Leader] = append(byLeader[c.Leader], name)
		}
	}
	return byLeader
}

// firstBlocks are the first of the channels, as many as there may be, of each leader in turn: one that does not publish its
// blocks keeps nobody from those of the others.
func firstBlocks(byLeader map[string][]string, most int) map[string]bool {
	chosen, leaders := map[string]bool{}, slices.Sorted(maps.Keys(byLeader))
	for i, left := 0, true; left; i++ {
		left = false
		for _, leader := range leaders {
			if channels := byLeader[leader]; i < len(channels) && len(chosen) < most {
				chosen[channels[i]], left = true, true
			}
		}
	}
	return chosen
}

// target is a channel in the plan of a Member that is to be given its first block next; nil if it is not.
func (h genesisDistribution) target(member string, c *Channel) *v1alpha1.PlanChannel {
	if !h.next[member][c.Name] {
		return nil
	}
	return h.result[member][c.Name]
}

// holds is whether a Member reports to hold the channel's first block, and no other.
func (h genesisDistribution) holds(member string, c *Channel) bool {
	report := h.reported[member][c.Name]
	return report != nil && report.GenesisHash == c.GenesisHash
}

// published refers to a statement with a channel's first block; nil if none is known. The leader, which comes first in
// concerned, has it in its status until the plans name the block, and the plans keep referring to it. Another Member's is
// used only if there is no such reference: one that reports a digest without a statement must not displace a good one.
func (h genesisDistribution) published(concerned []string, c *Channel) *v1alpha1.StatementRef {
	if ref := h.reference(concerned[0], c); ref != nil {
		return ref
	}
	for _, member := range concerned {
		p := h.planned[member][c.Name]
		if p != nil && p.GenesisHash == c.GenesisHash && p.Genesis != nil && slices.Contains(concerned, p.Genesis.Member) && h.holds(p.Genesis.Member, c) {
			return p.Genesis
		}
	}
	for _, member := range concerned[1:] {
		if ref := h.reference(member, c); ref != nil {
			return ref
		}
	}
	return nil
}

// reference is to the statement that a Member reports of the channel's first block; nil if it reports none.
func (h genesisDistribution) reference(member string, c *Channel) *v1alpha1.StatementRef {
	if digest := h.reported[member][c.Name]; digest != nil && h.holds(member, c) && v1alpha1.IsDigest(digest.Genesis) {
		return &v1alpha1.StatementRef{Member: member, Digest: digest.Genesis}
	}
	return nil
}

func plannedChannel(plan *v1alpha1.MemberPlan, channel string) *v1alpha1.PlanChannel {
	if plan == nil {
		return nil
	}
	for i := range plan.Spec.Channels {
		if plan.Spec.Channels[i].Name == channel {
			return &plan.Spec.Channels[i]
		}
	}
	return nil
}

// ReportedChannel is what a Member reports of a channel; nil if nothing.
func ReportedChannel(plan *v1alpha1.MemberPlan, channel string) *v1alpha1.PlanChannelStatus {
	if plan == nil {
		return nil
	}
	for i := range plan.Status.Channels {
		if plan.Status.Channels[i].Name == channel {
			return &plan.Status.Channels[i]
		}
	}
	return nil
}
