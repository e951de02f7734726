package plan

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// resolveCollections fills in every default, so that all members approve the same.
func resolveCollections(declared []v1alpha1.Collection) []v1alpha1.Collection {
	var resolved []v1alpha1.Collection
	for i := range declared {
		c := declared[i].DeepCopy()
		slices.Sort(c.Members)
		// As many as can have it at once: with one peer a member, every other member's.
		c.MaxPeers = ptr.To(ptr.Deref(c.MaxPeers, max(int32(len(c.Members))-1, c.RequiredPeers)))
		c.MemberOnlyRead = ptr.To(ptr.Deref(c.MemberOnlyRead, true))
		c.MemberOnlyWrite = ptr.To(ptr.Deref(c.MemberOnlyWrite, true))
		if c.Endorsement != nil {
			c.Endorsement = ptr.To(resolveEndorsement(c.Endorsement))
		}
		resolved = append(resolved, *c)
	}
	slices.SortFunc(resolved, func(a, b v1alpha1.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return resolved
}

// validateCollection says what is wrong with a collection on a channel; empty if nothing is.
func validateCollection(in Input, c *v1alpha1.Collection, channel Channel) string {
	peers := int32(0)
	for _, name := range c.Members {
		if !slices.Contains(channel.Members, name) {
			return fmt.Sprintf("%s is not a member of channel %s, and can hold none of its data: name members of the channel only", name, channel.Name)
		}
		peers += peersOf(in.Consortium, name)
	}
	if peers == 0 {
		return "none of its members runs a peer, so no peer would hold the data: name a member that runs one"
	}
	if c.RequiredPeers > peers-1 {
		return fmt.Sprintf("requiredPeers asks for %d other peers, but its members run %d in all, so no transaction could be endorsed: ask for %d at the most", c.RequiredPeers, peers, peers-1)
	}
	if c.Endorsement == nil {
		return ""
	}
	// A rule applies to the collection's members; a policy text may name any member of the channel.
	among := c.Members
	if c.Endorsement.Policy != "" {
		among = channel.Members
	}
	return validateEndorsement(in, resolveEndorsement(c.Endorsement), among)
}

func peersOf(consortium *v1alpha1.Consortium, name string) int32 {
	for i := range consortium.Spec.Members {
		if m := &consortium.Spec.Members[i]; m.Name == name {
			return Peers(m)
		}
	}
	return 0
}
