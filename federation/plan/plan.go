// Package plan computes, from what is declared on the host and what the Members have published, the MemberPlans of one
// Consortium, and validates the declarations. It is pure: it must know nothing of clients, clocks or controllers, and the
// same input always gives the same plans, so that unchanged plans are not written again.
package plan

import (
	"cmp"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Input is everything that the plans of one Consortium are computed from. Compute does not modify it.
type Input struct {
	Consortium *v1alpha1.Consortium
	// Planner of the Consortium's ledger.
	Planner ledger.Planner
	// Conflicts are the Consortia of the same name in other namespaces.
	Conflicts []v1alpha1.Consortium
	// Channels of the Consortium, and Contracts on them.
	Channels  []v1alpha1.Channel
	Contracts []v1alpha1.Contract
	// Members by name; those that do not exist are missing.
	Members map[string]*v1alpha1.Member
	// Lines, whether they concern the Consortium or not.
	Lines []v1alpha1.Line
	// Plans are the Consortium's MemberPlans as they are now, by Member, with what the agents report, and joined with the
	// definition.
	Plans map[string]*v1alpha1.MemberPlan
	// Stored are the same plans as they are stored, and Definition is what they refer to; nil if there is none. Plans do not
	// depend on them: they are for comparison with what is to be stored.
	Stored     map[string]*v1alpha1.MemberPlan
	Definition *v1alpha1.ConsortiumDefinition
	// WriteErrors are why plans could not be written, by Member, and what else is wrong for all of them, under "". Plans do
	// not depend on it.
	WriteErrors map[string]string
	// TemplateImages are the images of the contracts that ship with Hanse, as far as the host's operators have set them.
	TemplateImages map[v1alpha1.ContractTemplate]string
}

// Result is what is computed from an Input.
type Result struct {
	// Consortium, Channels and Contracts are the validation results of each object. The latter two are by name.
	Consortium ValidationResult
	Channels   map[string]ValidationResult
	Contracts  map[string]ValidationResult
	// Resolved holds the accepted channels with their defaults filled in, by name.
	Resolved map[string]Channel
	// Sequences of the accepted contracts, by name.
	Sequences map[string]Sequence
	// Plans by Member. It is empty if the Consortium is not accepted: then the existing plans stay as they are.
	Plans map[string]v1alpha1.MemberPlanSpec
	// Definition is what all Plans share; nil if there are none.
	Definition *v1alpha1.Definition
}

// Compute validates what is declared and computes the plans of one Consortium. Plans share no memory with each other or
// with the Input, which may be a cache's own: plans are written in parallel, and each response is decoded into the plan
// that was written.
func Compute(in Input) Result {
	res, contracts := resolve(in)
	if !res.Consortium.Accepted {
		return res
	}
	members, templates := planMembers(in), plannedTemplates(in)
	lines := linesByMember(in)
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		spec := v1alpha1.MemberPlanSpec{
			Member:              m.Name,
			Consortium:          in.Consortium.Name,
			ConsortiumNamespace: in.Consortium.Namespace,
			Namespace:           v1alpha1.ConsortiumNamespace(in.Consortium.Name),
			Ledger:              in.Planner.Ledger(in.Consortium.Spec.Ledger),
			Nodes:               withTemplates(in.Planner.Nodes(in.Consortium, m), templates),
			Members:             members,
			Lines:               planLines(lines[m.Name], m.Name),
			Channels:            channelsFor(m.Name, res.Resolved),
			Contracts:           contractsFor(m.Name, contracts, res.Resolved),
		}
		keepUndecodable(in, &spec)
		res.Plans[m.Name] = *spec.DeepCopy()
	}
	distributeGenesis(in, &res)
	res.Definition = define(in, &res, members, contracts)
	return res
}

// Validate is Compute without the plans, for callers that need the validation results only.
func Validate(in Input) Result {
	res, _ := resolve(in)
	return res
}

// resolve validates what is declared, and fills in the defaults of what is accepted.
func resolve(in Input) (Result, []v1alpha1.PlanContract) {
	res := Result{
		Channels:  map[string]ValidationResult{},
		Contracts: map[string]ValidationResult{},
		Resolved:  map[string]Channel{},
		Sequences: map[string]Sequence{},
		Plans:     map[string]v1alpha1.MemberPlanSpec{},
	}
	res.Consortium = validateConsortium(in)
	for i := range in.Channels {
		channel := &in.Channels[i]
		res.Channels[channel.Name] = validateChannel(in, channel)
		if res.Channels[channel.Name].Accepted {
			res.Resolved[channel.Name] = resolveChannel(in, channel)
		}
	}
	contracts := enforceLimits(in, &res, resolveContracts(in, &res))
	return res, contracts
}

// planMembers lists the Members of the Consortium as every plan shows them.
func planMembers(in Input) []v1alpha1.PlanMember {
	description := in.Planner.Description()
	members := make([]v1alpha1.PlanMember, 0, len(in.Consortium.Spec.Members))
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		member := v1alpha1.PlanMember{Name: m.Name, Role: m.Role, MSPID: mspID(in, m.Name)}
		member.Record, member.Holdings = digests(in, m.Name)
		if known := in.Members[m.Name]; known != nil && len(known.Status.Root) <= rootBudget {
			member.Root = known.Status.Root
		}
		for _, node := range in.Planner.Nodes(in.Consortium, m) {
			member.Nodes = append(member.Nodes, v1alpha1.PlanMemberNode{Name: node.Name, Role: node.Role, Port: int32(description.Port(node.Role))})
		}
		members = append(members, member)
	}
	slices.SortFunc(members, func(a, b v1alpha1.PlanMember) int { return cmp.Compare(a.Name, b.Name) })
	return members
}

// mspID is a Member's name on the ledger, whether the Member exists already or not.
func mspID(in Input, member string) string {
	if known := in.Members[member]; known != nil {
		return known.MSPID()
	}
	return v1alpha1.MSPID(member)
}

// maxRelayedMembers is the number of Members up to which the plans refer to the Members' Holdings. In a larger consortium
// they travel by gossip alone: they change with every first block, and each change would be written to every plan.
const maxRelayedMembers = 16

// digests are those of a Member's statements, as its agent reports them. Agents fetch the statements and verify them.
func digests(in Input, member string) (record, holdings string) {
	plan := in.Plans[member]
	if plan == nil {
		return "", ""
	}
	if v1alpha1.IsDigest(plan.Status.Record) {
		record = plan.Status.Record
	}
	if v1alpha1.IsDigest(plan.Status.Holdings) && len(in.Consortium.Spec.Members) <= maxRelayedMembers {
		holdings = plan.Status.Holdings
	}
	return record, holdings
}

// linesByMember are the valid lines between Members of the Consortium, by each of their two ends.
func linesByMember(in Input) map[string][]*v1alpha1.Line {
	takesPart := map[string]bool{}
	for _, m := range in.Consortium.Spec.Members {
		takesPart[m.Name] = true
	}
	lines := map[string][]*v1alpha1.Line{}
	for _, line := range validLines(in.Lines) {
		if len(line.Spec.Ends) != 2 {
			continue
		}
		a, b := line.Spec.Ends[0].Member, line.Spec.Ends[1].Member
		if a != b && takesPart[a] && takesPart[b] {
			lines[a], lines[b] = append(lines[a], line), append(lines[b], line)
		}
	}
	return lines
}

// planLines lists the lines from one Member to the Consortium's others.
func planLines(own []*v1alpha1.Line, member string) []v1alpha1.PlanLine {
	var lines []v1alpha1.PlanLine
	for _, line := range own {
		near, far, _ := Ends(line, member)
		lines = append(lines, v1alpha1.PlanLine{
			Name: line.Name, Priority: line.Spec.Priority,
			Member: far.Member, Address: far.Address, Port: linePort(far),
			LocalAddress: near.Address, LocalPort: linePort(near),
		})
	}
	slices.SortFunc(lines, func(a, b v1alpha1.PlanLine) int { return cmp.Compare(a.Name, b.Name) })
	return lines
}

// Ends gives a line's end at one Member and the far one; not ok if the line does not end at that Member.
func Ends(line *v1alpha1.Line, member string) (near, far v1alpha1.LineEnd, ok bool) {
	if len(line.Spec.Ends) != 2 {
		return near, far, false
	}
	a, b := line.Spec.Ends[0], line.Spec.Ends[1]
	switch member {
	case a.Member:
		return a, b, true
	case b.Member:
		return b, a, true
	}
	return near, far, false
}

func linePort(end v1alpha1.LineEnd) int32 { return cmp.Or(end.Port, v1alpha1.PortLine) }

func isMember(consortium *v1alpha1.Consortium, name string) bool {
	return slices.ContainsFunc(consortium.Spec.Members, func(m v1alpha1.ConsortiumMember) bool { return m.Name == name })
}
