package plan

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxGenesisInFlight is the number of bytes of compressed first blocks in a plan from which no other is added; the last one
// may exceed it. A block is in a plan only until its Member reports that it holds it.
const maxGenesisInFlight = 128 << 10

// genesisHash is the hash of a channel's first block: the one that is in a plan already, as it never changes, or else the
// one that the channel's leader has published.
func genesisHash(in Input, channel, leader string) string {
	for _, name := range append([]string{leader}, slices.Sorted(maps.Keys(in.Plans))...) {
		if c := plannedChannel(in.Plans[name], channel); c != nil && c.GenesisHash != "" {
			return c.GenesisHash
		}
	}
	if c := ReportedChannel(in.Plans[leader], channel); c != nil && isHash(c.GenesisHash) {
		return c.GenesisHash
	}
	return ""
}

func isHash(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// distributeGenesis adds first blocks to the plans of the Members that do not hold them yet, up to maxGenesisInFlight in each
// plan, and requests a block that is not available from a Member that holds it.
func distributeGenesis(in Input, res *Result) {
	h := newGenesisDistribution(in, res)
	names := slices.Sorted(maps.Keys(res.Resolved))
	// Blocks that a plan has already stay until the Member holds them.
	for _, name := range names {
		c := res.Resolved[name]
		for _, member := range c.Concerned() {
			if target := h.target(member, &c); target != nil {
				target.Genesis = bytes.Clone(h.carried(member, &c))
				h.inFlight[member] += len(target.Genesis)
			}
		}
	}
	for _, name := range names {
		c := res.Resolved[name]
		h.distribute(&c)
	}
}

// genesisDistribution has lookup tables by Member and channel.
type genesisDistribution struct {
	result   map[string]map[string]*v1alpha1.PlanChannel
	planned  map[string]map[string]*v1alpha1.PlanChannel
	reported map[string]map[string]*v1alpha1.PlanChannelStatus
	inFlight map[string]int
}

func newGenesisDistribution(in Input, res *Result) genesisDistribution {
	h := genesisDistribution{
		result: map[string]map[string]*v1alpha1.PlanChannel{}, planned: map[string]map[string]*v1alpha1.PlanChannel{},
		reported: map[string]map[string]*v1alpha1.PlanChannelStatus{}, inFlight: map[string]int{},
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

// target is a channel in the plan of a Member that needs its first block; nil if it reports to hold one, this or another.
func (h genesisDistribution) target(member string, c *Channel) *v1alpha1.PlanChannel {
	if report := h.reported[member][c.Name]; c.GenesisHash == "" || (report != nil && report.GenesisHash != "") {
		return nil
	}
	return h.result[member][c.Name]
}

// carried is the first block that is in a Member's plan already; nil if there is none.
func (h genesisDistribution) carried(member string, c *Channel) []byte {
	if p := h.planned[member][c.Name]; p != nil && p.GenesisHash == c.GenesisHash && len(p.Genesis) > 0 {
		return p.Genesis
	}
	return nil
}

// distribute adds one channel's block to the plans that need it and are below maxGenesisInFlight.
func (h genesisDistribution) distribute(c *Channel) {
	concerned := append([]string{c.Leader}, c.Concerned()...)
	var block []byte
	looked, wanted := false, false
	for _, member := range concerned[1:] {
		target := h.target(member, c)
		if target == nil || target.Genesis != nil || h.inFlight[member] >= maxGenesisInFlight {
			continue
		}
		if !looked {
			block, looked = h.published(concerned, c), true
		}
		// A plan that has not been written yet does not cause a request.
		wanted = wanted || (block == nil && h.planned[member] != nil)
		if block != nil {
			target.Genesis = bytes.Clone(block)
			h.inFlight[member] += len(block)
		}
	}
	if !wanted {
		return
	}
	for _, member := range concerned {
		report, asked := h.reported[member][c.Name], h.result[member][c.Name]
		if asked != nil && report != nil && report.GenesisHash == c.GenesisHash {
			asked.GenesisRequested = true
			return
		}
	}
}

// published is a channel's first block from any plan or from the status of a Member that holds it; nil if it is in none.
func (h genesisDistribution) published(concerned []string, c *Channel) []byte {
	for _, member := range concerned {
		if block := h.carried(member, c); block != nil {
			return block
		}
	}
	for _, member := range concerned {
		r := h.reported[member][c.Name]
		if r != nil && r.GenesisHash == c.GenesisHash && len(r.Genesis) > 0 && len(r.Genesis) <= v1alpha1.MaxGenesisBytes {
			return r.Genesis
		}
	}
	return nil
}

// hasGenesis is whether a Member reports to hold a first block of a channel, this one or another.
func hasGenesis(plan *v1alpha1.MemberPlan, channel string) bool {
	report := ReportedChannel(plan, channel)
	return report != nil && report.GenesisHash != ""
}

// WaitingGenesis counts the first blocks that a Member needs and that are not in its plan yet.
func WaitingGenesis(in Input, member string) int {
	plan, count := in.Plans[member], 0
	if plan == nil {
		return 0
	}
	for i := range plan.Spec.Channels {
		c := &plan.Spec.Channels[i]
		if c.GenesisHash != "" && len(c.Genesis) == 0 && !hasGenesis(plan, c.Name) {
			count++
		}
	}
	return count
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
