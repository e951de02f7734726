package reconcile

import (
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// validateSpec says which name in a plan is invalid; empty if none is. Every name becomes that of an object in this
// cluster, beside the organization's own keys and nodes: with the format of its kind and without duplicates it cannot
// collide with another.
func validateSpec(spec *v1alpha1.MemberPlanSpec) string {
	if !v1alpha1.IsLabel(spec.Consortium) || len(spec.Consortium) > v1alpha1.MaxConsortiumName {
		return fmt.Sprintf("%.64q is not a valid consortium name", spec.Consortium)
	}
	taken := nameSet{}
	for _, n := range spec.Nodes {
		if !v1alpha1.IsNodeOf(n.Name, n.Role, spec.Member) {
			return fmt.Sprintf("%.64q is not a valid name of a node of %s with role %.64q", n.Name, spec.Member, n.Role)
		}
		if !taken.addUnique(n.Name) {
			return fmt.Sprintf("the plan has node %s twice", n.Name)
		}
	}
	if why := validateMembers(spec, taken); why != "" {
		return why
	}
	return validateChannels(spec, taken)
}

// nameSet holds the names of workloads and Services, which share a namespace.
type nameSet map[string]bool

// addUnique adds a name and returns whether it is new.
func (n nameSet) addUnique(name string) bool {
	known := n[name]
	n[name] = true
	return !known
}

// firstDuplicate is the first name that a list has twice; empty if there is none.
func firstDuplicate(list []string) string {
	seen := nameSet{}
	for _, name := range list {
		if !seen.addUnique(name) {
			return name
		}
	}
	return ""
}

func validateMembers(spec *v1alpha1.MemberPlanSpec, taken nameSet) string {
	members := nameSet{}
	for _, m := range spec.Members {
		if !v1alpha1.IsLabel(m.Name) || len(m.Name) > v1alpha1.MaxMemberName || !members.addUnique(m.Name) {
			return fmt.Sprintf("%.64q is not a valid member name, or is a duplicate", m.Name)
		}
		if (m.Record != "" && !v1alpha1.IsDigest(m.Record)) || (m.Holdings != "" && !v1alpha1.IsDigest(m.Holdings)) {
			return fmt.Sprintf("a reference to a statement of %s is invalid", m.Name)
		}
		own := nameSet{}
		for _, n := range m.Nodes {
			if !v1alpha1.IsNodeOf(n.Name, n.Role, m.Name) || !own.addUnique(n.Name) {
				return fmt.Sprintf("%.64q is not a valid name of a node of %s with role %.64q, or is a duplicate", n.Name, m.Name, n.Role)
			}
			taken[n.Name] = true
		}
	}
	return ""
}

func validateChannels(spec *v1alpha1.MemberPlanSpec, taken nameSet) string {
	channels := nameSet{}
	for _, c := range spec.Channels {
		if !v1alpha1.IsLabel(c.Name) || len(c.Name) > v1alpha1.MaxMemberName || !channels.addUnique(c.Name) {
			return fmt.Sprintf("%.64q is not a valid channel name, or is a duplicate", c.Name)
		}
		for what, list := range map[string][]string{"members": c.Members, "endorsement policy": c.Endorsement.Members} {
			if name := firstDuplicate(list); name != "" {
				return fmt.Sprintf("the %s of channel %s have %.64q twice", what, c.Name, name)
			}
		}
		if ref := c.Genesis; ref != nil && (!v1alpha1.IsLabel(ref.Member) || !v1alpha1.IsDigest(ref.Digest)) {
			return fmt.Sprintf("the reference to the first block of channel %s is invalid", c.Name)
		}
	}
	for _, c := range spec.Contracts {
		if !v1alpha1.IsLabel(c.Name) || !v1alpha1.IsLabel(c.Channel) || len(c.Channel)+len(c.Name) > v1alpha1.MaxWorkloadName {
			return fmt.Sprintf("the name of contract %.64q on channel %.64q is invalid or too long", c.Name, c.Channel)
		}
		if name := firstDuplicate(c.Endorsement.Members); name != "" {
			return fmt.Sprintf("the endorsement policy of contract %s on channel %s has %.64q twice", c.Name, c.Channel, name)
		}
		// The workload's name ends with a hash, which the host could choose: neither name may be taken.
		for _, workload := range []string{c.Channel + "-" + c.Name, c.WorkloadName()} {
			if !taken.addUnique(workload) {
				return fmt.Sprintf("contract %s on channel %s would run under the name %s, which is taken", c.Name, c.Channel, workload)
			}
		}
	}
	return ""
}
