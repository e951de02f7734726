package plan

import (
	"cmp"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// undecodable is the finding on an object whose specification was not read whole; ok if it was. What is amiss in a status
// is no reason: its writer writes it anew.
func undecodable(u v1alpha1.Undecodable) (Finding, bool) {
	if u.InStatus() {
		return Finding{}, true
	}
	return refused(v1alpha1.ReasonUndecodable, "%s; nothing is changed until the value is corrected: kubectl edit this object, or apply it anew", u), false
}

// JudgeMember says whether a Member could be read. Its status is the agent's and harms nobody but the Member; without its
// root, though, nobody could tell a Member that has lost it from one that has another.
func JudgeMember(member *v1alpha1.Member) Finding {
	finding, ok := undecodable(member.Undecodable)
	if !ok {
		return finding
	}
	for _, value := range member.Undecodable {
		if value.Path == "status.root" {
			return refused(v1alpha1.ReasonUndecodable, "%s; nothing is changed until its agent reports again, or somebody resets it: kubectl patch member %s --subresource=status --type=json -p '[{\"op\":\"remove\",\"path\":\"/status/root\"}]'",
				member.Undecodable, member.Name)
		}
	}
	return accepted()
}

// keepUndecodable leaves in a plan what the last one says of channels, contracts and lines that cannot be read now.
func keepUndecodable(in Input, next *v1alpha1.MemberPlanSpec) {
	last := in.Plans[next.Member]
	if last == nil {
		return
	}
	channels, contracts, lines := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range in.Channels {
		channels[in.Channels[i].Name] = !in.Channels[i].Undecodable.InStatus()
	}
	for i := range in.Contracts {
		contracts[in.Contracts[i].Name] = !in.Contracts[i].Undecodable.InStatus()
	}
	for i := range in.Lines {
		lines[in.Lines[i].Name] = !in.Lines[i].Undecodable.InStatus()
	}
	for _, c := range last.Spec.Channels {
		if channels[c.Name] {
			next.Channels = append(next.Channels, *c.DeepCopy())
		}
	}
	for _, c := range last.Spec.Contracts {
		if contracts[c.Name] || channels[c.Channel] {
			next.Contracts = append(next.Contracts, *c.DeepCopy())
		}
	}
	for _, l := range last.Spec.Lines {
		if lines[l.Name] {
			next.Lines = append(next.Lines, l)
		}
	}
	slices.SortFunc(next.Channels, func(a, b v1alpha1.PlanChannel) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(next.Contracts, func(a, b v1alpha1.PlanContract) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(next.Lines, func(a, b v1alpha1.PlanLine) int { return cmp.Compare(a.Name, b.Name) })
}
