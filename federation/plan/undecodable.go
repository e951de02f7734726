package plan

import (
	"cmp"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// validateDecoded checks that an object's specification was decoded completely. Values in a status are ignored: the
// status's writer will overwrite them.
func validateDecoded(u v1alpha1.Undecodable) (ValidationResult, bool) {
	if u.InStatus() {
		return ValidationResult{}, true
	}
	return invalid(v1alpha1.ReasonUndecodable, "%s; nothing is changed until the value is corrected: kubectl edit this object, or apply it again", u), false
}

// ValidateMember checks that a Member was decoded completely. Values in its status are ignored except for status.root:
// without it, a Member that has lost its root cannot be told from one that has changed it.
func ValidateMember(member *v1alpha1.Member) ValidationResult {
	validation, ok := validateDecoded(member.Undecodable)
	if !ok {
		return validation
	}
	for _, value := range member.Undecodable {
		if value.Path == "status.root" {
			return invalid(v1alpha1.ReasonUndecodable, "%s; nothing is changed until its agent reports again, or somebody resets it: kubectl patch member %s --subresource=status --type=json -p '[{\"op\":\"remove\",\"path\":\"/status/root\"}]'",
				member.Undecodable, member.Name)
		}
	}
	return accepted()
}

// keepUndecodable copies to a plan the previous plan's channels, contracts and lines that cannot be decoded now.
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
