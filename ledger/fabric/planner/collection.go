package planner

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Collections fills in every default, so that all members approve the same.
func (p Planner) Collections(declared []v1alpha1.Collection) []v1alpha1.Collection {
	var resolved []v1alpha1.Collection
	for i := range declared {
		c := declared[i].DeepCopy()
		slices.Sort(c.Members)
		// As many as can have it at once: with one peer a member, every other member's.
		c.MaxPeers = ptr.To(ptr.Deref(c.MaxPeers, max(int32(len(c.Members))-1, c.RequiredPeers)))
		c.MemberOnlyRead = ptr.To(ptr.Deref(c.MemberOnlyRead, true))
		c.MemberOnlyWrite = ptr.To(ptr.Deref(c.MemberOnlyWrite, true))
		if c.Endorsement != nil {
			c.Endorsement = ptr.To(p.Endorsement(c.Endorsement))
		}
		resolved = append(resolved, *c)
	}
	slices.SortFunc(resolved, func(a, b v1alpha1.Collection) int { return cmp.Compare(a.Name, b.Name) })
	return resolved
}

// CheckCollection says what is wrong with a collection on a channel; empty if nothing is.
func (p Planner) CheckCollection(c *v1alpha1.Collection, channel string, members []ledger.Organization) string {
	held := int32(0)
	var among []ledger.Organization
	for _, name := range c.Members {
		member, known := find(members, name)
		if !known {
			return fmt.Sprintf("%s is not a member of channel %s, and can hold none of its data: name members of the channel only", name, channel)
		}
		held += peers(member)
		among = append(among, member)
	}
	if held == 0 {
		return "none of its members runs a peer, so no peer would hold the data: name a member that runs one"
	}
	if c.RequiredPeers > held-1 {
		return fmt.Sprintf("requiredPeers asks for %d other peers, but its members run %d in all, so no transaction could be endorsed: ask for %d at the most", c.RequiredPeers, held, held-1)
	}
	if c.Endorsement == nil {
		return ""
	}
	// A rule applies to the collection's members; a policy text may name any member of the channel.
	if c.Endorsement.Policy != "" {
		among = members
	}
	return p.CheckEndorsement(p.Endorsement(c.Endorsement), among)
}
