// Package memorytest is a ledger in memory for tests: two roles, bare keys for identities and steps of its own, unlike any other's.
// It shows that host and agent decide nothing by themselves that is particular to one ledger. It must know nothing of any
// other ledger, nor of host and agent.
package memorytest

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Type of the ledger.
const Type v1alpha1.LedgerType = "Memory"

// Roles. A Consortium declares validators as orderers, and archives as peers: these are what every ledger has, who orders and
// who holds.
const (
	RoleValidator v1alpha1.NodeRole = "Validator"
	RoleArchive   v1alpha1.NodeRole = "Archive"
)

// Steps in a channel.
const (
	StepLoad     = "Load"
	StepSeal     = "Seal"
	StepAnnounce = "Announce"
)

// Images of the nodes.
const (
	ValidatorImage = "example.com/validator:1"
	ArchiveImage   = "example.com/archive:1"
)

// Planner plans it.
type Planner struct{}

var _ ledger.Planner = Planner{}

// Description of it.
func (Planner) Description() ledger.Description {
	return ledger.Description{
		Type: Type, Name: "Memory", Identity: ledger.IdentityEd25519, OrganizationID: "number",
		Roles: []ledger.Role{
			{Name: RoleArchive, Noun: "archive", Port: 9001, Holds: true, Spare: ledger.Spare{Noun: "archives"}},
			{Name: RoleValidator, Noun: "validator", Port: 9000, AgentPort: 9010, Orders: true, Spare: ledger.Spare{Noun: "validators"}},
		},
		Steps: []ledger.Step{
			{Name: StepLoad, What: "load the first block of channel", Role: RoleArchive},
			{Name: StepSeal, What: "seal channel", Role: RoleValidator},
			{Name: StepAnnounce, What: "announce itself on channel", After: StepLoad},
		},
		Images: []string{"example.com/"},
	}
}

// Ledger has nothing to fill in.
func (Planner) Ledger(v1alpha1.LedgerSpec) v1alpha1.LedgerSpec {
	return v1alpha1.LedgerSpec{Type: Type}
}

// Count is how many nodes of a role a Member runs.
func (Planner) Count(m *v1alpha1.ConsortiumMember, role v1alpha1.NodeRole) int32 {
	switch role {
	case RoleValidator:
		return ptr.Deref(m.Orderers, 1)
	case RoleArchive:
		return ptr.Deref(m.Peers, 1)
	}
	return 0
}

// Nodes that a Member is to run.
func (p Planner) Nodes(_ *v1alpha1.Consortium, m *v1alpha1.ConsortiumMember) []v1alpha1.PlanNode {
	var nodes []v1alpha1.PlanNode
	for role, image := range map[v1alpha1.NodeRole]string{RoleValidator: ValidatorImage, RoleArchive: ArchiveImage} {
		for i := range p.Count(m, role) {
			nodes = append(nodes, v1alpha1.PlanNode{Name: v1alpha1.NodeName(role, i, m.Name), Role: role, Image: image})
		}
	}
	slices.SortFunc(nodes, func(a, b v1alpha1.PlanNode) int { return cmp.Compare(a.Name, b.Name) })
	return nodes
}

// Settings are those that every ledger has.
func (Planner) Settings() []ledger.Setting { return ledger.Settings() }

// Target is always the same.
func (Planner) Target(v1alpha1.LedgerSpec) v1alpha1.RolloutTarget {
	return v1alpha1.RolloutTarget{PeerImage: ArchiveImage, OrdererImage: ValidatorImage}
}

// Endorsement is by one member, whatever is declared: there is nothing to endorse.
func (Planner) Endorsement(*v1alpha1.EndorsementPolicy) v1alpha1.EndorsementPolicy {
	return v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAny}
}

// Collections are none.
func (Planner) Collections([]v1alpha1.Collection) []v1alpha1.Collection { return nil }

// Batch is one transaction a block.
func (Planner) Batch(*v1alpha1.Batch) v1alpha1.Batch { return v1alpha1.Batch{MaxMessages: 1} }

// CheckBatch takes any.
func (Planner) CheckBatch(*v1alpha1.Batch) string { return "" }

// CheckOrganizations takes any.
func (Planner) CheckOrganizations([]ledger.Organization) string { return "" }

// CheckEndorsement takes any.
func (Planner) CheckEndorsement(v1alpha1.EndorsementPolicy, []ledger.Organization) string { return "" }

// CheckCollection takes none.
func (Planner) CheckCollection(c *v1alpha1.Collection, _ string, _ []ledger.Organization) string {
	return fmt.Sprintf("this ledger has no private data: leave collection %s out", c.Name)
}
