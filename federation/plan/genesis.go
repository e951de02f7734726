package plan

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// genesisInFlight is how many bytes of compressed first blocks a plan carries before no other one is put into it; the last one may
// go beyond. A block is in a plan only until its Member reports that it holds it.
const genesisInFlight = 128 << 10

// genesisHash is the hash of a channel's first block: the one that is in a plan already, for it never changes, or else the
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

// handOver puts first blocks into the plans of those Members that do not hold them yet, as many at a time as a plan has
// room for, and asks one Member that holds a block for it where none is at hand.
func handOver(in Input, res *Result) {
	h := newHandover(in, res)
	names := slices.Sorted(maps.Keys(res.Resolved))
	// What a plan carries stays until its Member has it: so much less comes on top.
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
		h.handOver(&c)
	}
}

// handover looks things up by Member and channel.
type handover struct {
	result   map[string]map[string]*v1alpha1.PlanChannel
	planned  map[string]map[string]*v1alpha1.PlanChannel
	reported map[string]map[string]*v1alpha1.PlanChannelStatus
	inFlight map[string]int
}

func newHandover(in Input, res *Result) handover {
	h := handover{
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

// target is a channel in the plan of a Member that has yet to get its first block; nil if it needs none, or has another
// one, which it says itself.
func (h handover) target(member string, c *Channel) *v1alpha1.PlanChannel {
	if report := h.reported[member][c.Name]; c.GenesisHash == "" || (report != nil && report.GenesisHash != "") {
		return nil
	}
	return h.result[member][c.Name]
}

// carried is the first block that a Member's plan carries already; nil if it carries none.
func (h handover) carried(member string, c *Channel) []byte {
	if p := h.planned[member][c.Name]; p != nil && p.GenesisHash == c.GenesisHash && len(p.Genesis) > 0 {
		return p.Genesis
	}
	return nil
}

// handOver hands one channel's block to those who need it and whose plans have room.
func (h handover) handOver(c *Channel) {
	concerned := append([]string{c.Leader}, c.Concerned()...)
	var block []byte
	looked, wanted := false, false
	for _, member := range concerned[1:] {
		target := h.target(member, c)
		if target == nil || target.Genesis != nil || h.inFlight[member] >= genesisInFlight {
			continue
		}
		if !looked {
			block, looked = h.published(concerned, c), true
		}
		// Nobody is asked for the sake of a plan that has not been written yet.
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

// published is a channel's first block from where it is at hand: some plan, or the status of a Member that reports to hold
// it. nil if it is nowhere.
func (h handover) published(concerned []string, c *Channel) []byte {
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

// holds is whether a Member has a first block of a channel, be it this one or, which it then says, another one.
func holds(plan *v1alpha1.MemberPlan, channel string) bool {
	report := ReportedChannel(plan, channel)
	return report != nil && report.GenesisHash != ""
}

// WaitingGenesis counts the first blocks that a Member needs and that its plan does not carry yet.
func WaitingGenesis(in Input, member string) int {
	plan, count := in.Plans[member], 0
	if plan == nil {
		return 0
	}
	for i := range plan.Spec.Channels {
		c := &plan.Spec.Channels[i]
		if c.GenesisHash != "" && len(c.Genesis) == 0 && !holds(plan, c.Name) {
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
