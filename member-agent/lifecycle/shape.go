package lifecycle

import (
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// malformed says which name in a plan is not of the shape that its kind of thing has. Every name becomes that of some
// object in this cluster, beside those of the organization's own keys and nodes: what has its own shape, and is there
// once, meets none of the others. Empty when all is well.
func malformed(spec *v1alpha1.MemberPlanSpec) string {
	if !v1alpha1.IsLabel(spec.Consortium) || len(spec.Consortium) > v1alpha1.MaxConsortiumName {
		return fmt.Sprintf("%.64q cannot be a consortium's name", spec.Consortium)
	}
	taken := names{}
	for _, n := range spec.Nodes {
		if !v1alpha1.IsNodeOf(n.Name, n.Role, spec.Member) {
			return fmt.Sprintf("%.64q cannot be a node of %s with the role %.64q", n.Name, spec.Member, n.Role)
		}
		if taken.twice(n.Name) {
			return fmt.Sprintf("the plan has node %s twice", n.Name)
		}
	}
	if why := malformedMembers(spec, taken); why != "" {
		return why
	}
	return malformedChannels(spec, taken)
}

// names are those of workloads and of Services, which share a namespace.
type names map[string]bool

func (n names) twice(name string) bool {
	was := n[name]
	n[name] = true
	return was
}

// repeated is the first name that a list has twice; empty if there is none.
func repeated(list []string) string {
	seen := names{}
	for _, name := range list {
		if seen.twice(name) {
			return name
		}
	}
	return ""
}

func malformedMembers(spec *v1alpha1.MemberPlanSpec, taken names) string {
	members := names{}
	for _, m := range spec.Members {
		if !v1alpha1.IsLabel(m.Name) || len(m.Name) > v1alpha1.MaxMemberName || members.twice(m.Name) {
			return fmt.Sprintf("%.64q cannot be a member's name, or is there twice", m.Name)
		}
		own := names{}
		for _, n := range m.Nodes {
			if !v1alpha1.IsNodeOf(n.Name, n.Role, m.Name) || own.twice(n.Name) {
				return fmt.Sprintf("%.64q cannot be a node of %s with the role %.64q, or is there twice", n.Name, m.Name, n.Role)
			}
			taken[n.Name] = true
		}
	}
	return ""
}

func malformedChannels(spec *v1alpha1.MemberPlanSpec, taken names) string {
	channels := names{}
	for _, c := range spec.Channels {
		if !v1alpha1.IsLabel(c.Name) || len(c.Name) > v1alpha1.MaxMemberName || channels.twice(c.Name) {
			return fmt.Sprintf("%.64q cannot be a channel's name, or is there twice", c.Name)
		}
		for what, list := range map[string][]string{"members": c.Members, "endorsement policy": c.Endorsement.Members} {
			if name := repeated(list); name != "" {
				return fmt.Sprintf("the %s of channel %s have %.64q twice", what, c.Name, name)
			}
		}
		if len(c.Genesis) > v1alpha1.MaxGenesisBytes {
			return fmt.Sprintf("the first block of channel %s has %d bytes, which is more than %d", c.Name, len(c.Genesis), v1alpha1.MaxGenesisBytes)
		}
	}
	for _, c := range spec.Contracts {
		if !v1alpha1.IsLabel(c.Name) || !v1alpha1.IsLabel(c.Channel) || len(c.Channel)+len(c.Name) > v1alpha1.MaxWorkloadName {
			return fmt.Sprintf("there cannot be a contract %.64q on a channel %.64q", c.Name, c.Channel)
		}
		if name := repeated(c.Endorsement.Members); name != "" {
			return fmt.Sprintf("the endorsement policy of contract %s on channel %s has %.64q twice", c.Name, c.Channel, name)
		}
		// The name of what runs goes on with a hash, which the host could choose: neither may be taken.
		for _, workload := range []string{c.Channel + "-" + c.Name, c.WorkloadName()} {
			if taken.twice(workload) {
				return fmt.Sprintf("contract %s on channel %s would run under the name %s, which is taken", c.Name, c.Channel, workload)
			}
		}
	}
	return ""
}
