// Package planner decides what is particular to Hyperledger Fabric about what is declared: roles, ports, images, defaults,
// endorsement policies and collections. It is pure, and must import none of Fabric's libraries: the host's controller links it.
package planner

import (
	"fmt"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Steps in a channel.
const (
	StepJoinOrderers = "JoinOrderers"
	StepJoinPeers    = "JoinPeers"
	// StepSetAnchors makes those of the Member's peers known to the channel's other members that its first block does not name.
	StepSetAnchors = "SetAnchors"
)

// Planner plans Fabric.
type Planner struct{}

var _ ledger.Planner = Planner{}

// Description of Fabric. Orderers are changed before peers, as Fabric's upgrade guide has it.
func (Planner) Description() ledger.Description {
	return ledger.Description{
		Type: v1alpha1.LedgerFabric, Name: "Fabric", Identity: ledger.IdentityX509, OrganizationID: "MSP ID",
		Roles: []ledger.Role{
			{
				Name: v1alpha1.RoleOrderer, Noun: "orderer", Port: v1alpha1.PortOrderer, AgentPort: v1alpha1.PortOrdererAdmin,
				MetricsPort: v1alpha1.PortOrdererOperations, Orders: true, Spare: ledger.Spare{Noun: "orderers"},
			},
			{
				Name: v1alpha1.RolePeer, Noun: "peer", Port: v1alpha1.PortPeer, MetricsPort: v1alpha1.PortPeerOperations,
				Holds: true, Spare: ledger.Spare{Noun: "organizations with a peer", PerMember: true},
			},
		},
		Steps: []ledger.Step{
			{Name: StepJoinOrderers, What: "join its orderers to channel", Role: v1alpha1.RoleOrderer},
			{Name: StepJoinPeers, What: "join its peers to channel", Role: v1alpha1.RolePeer},
			{Name: StepSetAnchors, What: "name its anchor peers on channel", After: StepJoinPeers},
		},
		Images: []string{
			"docker.io/hyperledger/fabric-peer:", "docker.io/hyperledger/fabric-orderer:", "docker.io/library/couchdb:",
		},
	}
}

// Count is how many nodes of a role a Member runs.
func (Planner) Count(m *v1alpha1.ConsortiumMember, role v1alpha1.NodeRole) int32 {
	switch role {
	case v1alpha1.RolePeer:
		return ptr.Deref(m.Peers, 1)
	case v1alpha1.RoleOrderer:
		return ptr.Deref(m.Orderers, 1)
	}
	return 0
}

// CheckOrganizations checks that the members have different MSP IDs.
func (Planner) CheckOrganizations(all []ledger.Organization) string {
	taken := map[string]string{}
	for _, o := range all {
		if other, ok := taken[o.ID]; ok {
			return fmt.Sprintf("members %s and %s have the same MSP ID, %s, by which a ledger identifies organizations: declare one of them as another Member with an MSP ID of its own (kubectl hanse invite NAME --msp-id ID)",
				other, o.Member, o.ID)
		}
		taken[o.ID] = o.Member
	}
	return ""
}

func find(members []ledger.Organization, name string) (ledger.Organization, bool) {
	at := slices.IndexFunc(members, func(o ledger.Organization) bool { return o.Member == name })
	if at < 0 {
		return ledger.Organization{}, false
	}
	return members[at], true
}

func peers(o ledger.Organization) int32 { return o.Nodes[v1alpha1.RolePeer] }
