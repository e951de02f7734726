package ledger

import (
	"cmp"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Description is what a ledger technology is made of. Pure data.
type Description struct {
	// Type by which a Consortium chooses it, and the Name that people know it by.
	Type v1alpha1.LedgerType
	Name string
	// Identity is the kind of an organization's identities on the ledger.
	Identity IdentityKind
	// OrganizationID is what the name of an organization on the ledger is called there: "MSP ID".
	OrganizationID string
	// Roles that nodes have, in the order in which new images are rolled out.
	Roles []Role
	// Steps that a Member does in each channel, in this order.
	Steps []Step
	// Images are the prefixes of the images that an organization allows its nodes when it says nothing else.
	Images []string
}

// Role is what a ledger node does.
type Role struct {
	Name v1alpha1.NodeRole
	// Noun is what one such node is called: "peer".
	Noun string
	// Port on which nodes reach it, also those of other organizations, by the gateways.
	Port int
	// AgentPort on which only the organization's own agent administers it, and MetricsPort for what scrapes metrics; 0 if there
	// is none.
	AgentPort, MetricsPort int
	// Orders is whether it takes part in the ordering of transactions.
	Orders bool
	// Holds is whether it holds the channels' ledgers and runs contracts, so that its organization can endorse.
	Holds bool
	// Spare says of what a majority has to stay when a node is taken down.
	Spare Spare
}

// Step is something that a Member does in a channel once it has the first block.
type Step struct {
	Name string
	// What it does, as it reads before the channel's name in "waiting for org2 to … goods": "join its peers to channel".
	What string
	// Role of the nodes at which it is done, one by one: those that order the channel where the role orders, else those of the
	// channel's members. Empty for a step that the Member does once.
	Role v1alpha1.NodeRole
	// After is the step that at least one node has to have done first; none if it is empty.
	After string
}

// Spare is of what a majority has to stay: "orderers", counted node by node, or "organizations with a peer", of each of which
// one ready node is enough.
type Spare struct {
	Noun      string
	PerMember bool
}

// IdentityKind is the kind of the keys by which organizations are known on a ledger.
type IdentityKind string

const (
	// IdentityX509 are certificates that follow from an organization's own root. It is the default.
	IdentityX509 IdentityKind = "X509"
	// IdentitySecp256k1 and IdentityEd25519 are bare keys. They are made in the organization's cluster, and their public parts
	// are published.
	IdentitySecp256k1 IdentityKind = "Secp256k1"
	IdentityEd25519   IdentityKind = "Ed25519"
)

// Role finds a role by name.
func (d Description) Role(name v1alpha1.NodeRole) (Role, bool) {
	at := slices.IndexFunc(d.Roles, func(r Role) bool { return r.Name == name })
	if at < 0 {
		return Role{}, false
	}
	return d.Roles[at], true
}

// Rank is a role's place in the order of the roles; behind all of them for a role that is none of these.
func (d Description) Rank(name v1alpha1.NodeRole) int {
	at := slices.IndexFunc(d.Roles, func(r Role) bool { return r.Name == name })
	if at < 0 {
		return len(d.Roles)
	}
	return at
}

// Port on which nodes of a role are reached; 0 for a role that is none of the ledger's.
func (d Description) Port(name v1alpha1.NodeRole) int {
	role, _ := d.Role(name)
	return role.Port
}

// OrderingMembers names the Members whose nodes order a channel, sorted: those of the channel's own members that run any such
// node, so that nobody else sees its transactions; everybody in the Consortium who runs any where none of them does.
func (d Description) OrderingMembers(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel) []string {
	var inside, all []string
	for _, member := range plan.Spec.Members {
		if !slices.ContainsFunc(member.Nodes, func(n v1alpha1.PlanMemberNode) bool { return d.orders(n.Role) }) {
			continue
		}
		all = append(all, member.Name)
		if slices.Contains(channel.Members, member.Name) {
			inside = append(inside, member.Name)
		}
	}
	if len(inside) == 0 {
		inside = all
	}
	slices.Sort(inside)
	return inside
}

// Nodes are those of the plan's own Member at which a step is done in a channel, sorted; none for a step that is done once.
func (d Description) Nodes(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel, step Step) []string {
	concerned := channel.Members
	if d.orders(step.Role) {
		concerned = d.OrderingMembers(plan, channel)
	}
	if step.Role == "" || !slices.Contains(concerned, plan.Spec.Member) {
		return nil
	}
	var names []string
	for _, node := range plan.Spec.Nodes {
		if node.Role == step.Role {
			names = append(names, node.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Holders are the nodes by whose reported steps a Member holds a channel's ledger, so that contracts can be installed there.
func (d Description) Holders(status v1alpha1.PlanChannelStatus) []string {
	var nodes []string
	for _, step := range d.Steps {
		if role, ok := d.Role(step.Role); ok && role.Holds {
			nodes = append(nodes, StepOf(status, step.Name).Nodes...)
		}
	}
	return nodes
}

func (d Description) orders(name v1alpha1.NodeRole) bool {
	role, _ := d.Role(name)
	return role.Orders
}

// StepOf is what a Member reports of a step in a channel; one that is not begun if it reports nothing.
func StepOf(status v1alpha1.PlanChannelStatus, name string) v1alpha1.PlanStep {
	for _, step := range status.Steps {
		if step.Name == name {
			return step
		}
	}
	return v1alpha1.PlanStep{Name: name}
}

// Organization is what a Planner has to know of a Member to say whether what is declared can work.
type Organization struct {
	// Member is its name, and ID that on the ledger.
	Member, ID string
	// Nodes that it runs, by role.
	Nodes map[v1alpha1.NodeRole]int32
}

// Planner decides what is particular to one ledger technology about what is declared: on the host, where plans are computed,
// and for whoever wants to know before. It is pure, and must not link the technology's own libraries. What it returns as a
// problem is a sentence that says how to correct it; none is empty.
type Planner interface {
	Description() Description
	// Ledger is a Consortium's ledger settings with every default filled in.
	Ledger(spec v1alpha1.LedgerSpec) v1alpha1.LedgerSpec
	// Count is how many nodes of a role a Member runs.
	Count(m *v1alpha1.ConsortiumMember, role v1alpha1.NodeRole) int32
	// Nodes that a Member is to run, with every setting filled in and the declared images; sorted by name.
	Nodes(consortium *v1alpha1.Consortium, m *v1alpha1.ConsortiumMember) []v1alpha1.PlanNode
	// Target is the images that a Consortium declares, without its settings.
	Target(spec v1alpha1.LedgerSpec) v1alpha1.RolloutTarget
	// Settings are what a change of each field of a Consortium's spec does to nodes that run.
	Settings() []Setting
	// Endorsement is a policy with every default filled in, so that all members hold the same.
	Endorsement(policy *v1alpha1.EndorsementPolicy) v1alpha1.EndorsementPolicy
	// Collections are a contract's, likewise.
	Collections(declared []v1alpha1.Collection) []v1alpha1.Collection
	// Batch is when a channel's blocks are cut, likewise.
	Batch(batch *v1alpha1.Batch) v1alpha1.Batch
	// CheckOrganizations says what is wrong with a Consortium's members together.
	CheckOrganizations(all []Organization) (problem string)
	// CheckBatch says what is wrong with when blocks are to be cut.
	CheckBatch(batch *v1alpha1.Batch) (problem string)
	// CheckEndorsement says why a policy cannot be met among a channel's members.
	CheckEndorsement(policy v1alpha1.EndorsementPolicy, members []Organization) (problem string)
	// CheckCollection says what is wrong with a collection on a channel.
	CheckCollection(collection *v1alpha1.Collection, channel string, members []Organization) (problem string)
}

// Planners are those of the ledger technologies that a program knows.
type Planners map[v1alpha1.LedgerType]Planner

// Of is the planner for a ledger; nil if the program does not know that one.
func (p Planners) Of(spec v1alpha1.LedgerSpec) Planner {
	return p[cmp.Or(spec.Type, v1alpha1.LedgerFabric)]
}

// Describe is the description of a plan's ledger. A program that does not know it has none: no node of it gets a port.
func (p Planners) Describe(plan *v1alpha1.MemberPlan) Description {
	if planner := p.Of(plan.Spec.Ledger); planner != nil {
		return planner.Description()
	}
	return Description{Type: plan.Spec.Ledger.Type}
}

// Images are the prefixes of the images of all ledgers' nodes, sorted.
func (p Planners) Images() []string {
	var all []string
	for _, planner := range p {
		all = append(all, planner.Description().Images...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
