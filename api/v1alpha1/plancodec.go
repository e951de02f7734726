package v1alpha1

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
)

// compact is the spec as it is stored: what most of the channels have in common is stored once. With 64 members and 256
// channels among them all it has a fifth of the size, which every write, watch and mirror of a plan pays. It shares memory
// with s and does not change it.
func (s *MemberPlanSpec) compact() MemberPlanSpec {
	out := *s
	if len(s.Channels) == 0 {
		return out
	}
	defaults, all := commonDefaults(s.Channels), s.memberNames()
	out.Channels = slices.Clone(s.Channels)
	for i := range out.Channels {
		c := &out.Channels[i]
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
	if out.ChannelDefaults = nil; !equality.Semantic.DeepEqual(defaults, PlanChannelDefaults{}) {
		out.ChannelDefaults = &defaults
	}
	return out
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

// expand undoes compact. Channels of all members share the list of their names, which has no room to append to.
func (s *MemberPlanSpec) expand() {
	var defaults PlanChannelDefaults
	if s.ChannelDefaults != nil {
		defaults, s.ChannelDefaults = *s.ChannelDefaults, nil
	}
	all := s.memberNames()
	for i := range s.Channels {
		c := &s.Channels[i]
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

func (s *MemberPlanSpec) memberNames() []string {
	names := make([]string, 0, len(s.Members))
	for i := range s.Members {
		names = append(names, s.Members[i].Name)
	}
	return slices.Clip(names)
}
