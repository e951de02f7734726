package plan

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Defaults of a Consortium's fields.
const (
	DefaultPeerImage    = "docker.io/hyperledger/fabric-peer:3.1.4"
	DefaultOrdererImage = "docker.io/hyperledger/fabric-orderer:3.1.4"
	DefaultCouchDBImage = "docker.io/library/couchdb:3.4"
	DefaultCapabilities = "V2_0"
	DefaultApplication  = "V2_5"
	DefaultStorage      = "5Gi"
)

// NodeName is the name of a Member's i-th node of a role.
func NodeName(role v1alpha1.NodeRole, i int32, member string) string {
	if role == v1alpha1.RoleOrderer {
		return fmt.Sprintf("orderer%d-%s", i, member)
	}
	return fmt.Sprintf("peer%d-%s", i, member)
}

// Peers and Orderers are how many nodes a Member runs.
func Peers(m *v1alpha1.ConsortiumMember) int32    { return ptr.Deref(m.Peers, 1) }
func Orderers(m *v1alpha1.ConsortiumMember) int32 { return ptr.Deref(m.Orderers, 1) }

func nodePort(role v1alpha1.NodeRole) int32 {
	if role == v1alpha1.RoleOrderer {
		return v1alpha1.PortOrderer
	}
	return v1alpha1.PortPeer
}

// planNodes lists the nodes that a Member is to run, sorted by name.
func planNodes(consortium *v1alpha1.Consortium, m *v1alpha1.ConsortiumMember) []v1alpha1.PlanNode {
	settings, images := resolveSettings(consortium.Spec.Nodes, m.Nodes), resolveLedger(consortium.Spec.Ledger).Fabric
	nodes := make([]v1alpha1.PlanNode, 0, Peers(m)+Orderers(m))
	for i := range Orderers(m) {
		nodes = append(nodes, v1alpha1.PlanNode{
			Name: NodeName(v1alpha1.RoleOrderer, i, m.Name), Role: v1alpha1.RoleOrderer, Image: images.OrdererImage,
			Storage: settings.Storage, Resources: settings.OrdererResources, ExtraSANs: settings.ExtraSANs,
		})
	}
	for i := range Peers(m) {
		peer := v1alpha1.PlanNode{
			Name: NodeName(v1alpha1.RolePeer, i, m.Name), Role: v1alpha1.RolePeer, Image: images.PeerImage,
			Storage: settings.Storage, Resources: settings.PeerResources, ExtraSANs: settings.ExtraSANs,
			StateDatabase: settings.StateDatabase,
		}
		if peer.StateDatabase == v1alpha1.StateCouchDB {
			peer.StateDatabaseImage = images.CouchDBImage
		}
		nodes = append(nodes, peer)
	}
	slices.SortFunc(nodes, func(a, b v1alpha1.PlanNode) int { return cmp.Compare(a.Name, b.Name) })
	return nodes
}

// resolveSettings merges the settings: a Member's own override the Consortium's, and those override Hanse's defaults.
func resolveSettings(all v1alpha1.NodeSettings, own *v1alpha1.NodeSettings) v1alpha1.NodeSettings {
	size := resource.MustParse(DefaultStorage)
	settings := v1alpha1.NodeSettings{
		Storage:       v1alpha1.Storage{Size: &size, ReclaimPolicy: v1alpha1.ReclaimRetain},
		StateDatabase: v1alpha1.StateLevelDB,
	}
	layers := []v1alpha1.NodeSettings{all}
	if own != nil {
		layers = append(layers, *own)
	}
	for _, layer := range layers {
		settings.Storage.ClassName = cmp.Or(layer.Storage.ClassName, settings.Storage.ClassName)
		settings.Storage.Size = cmp.Or(layer.Storage.Size, settings.Storage.Size)
		settings.Storage.ReclaimPolicy = cmp.Or(layer.Storage.ReclaimPolicy, settings.Storage.ReclaimPolicy)
		settings.PeerResources = cmp.Or(layer.PeerResources, settings.PeerResources)
		settings.OrdererResources = cmp.Or(layer.OrdererResources, settings.OrdererResources)
		settings.StateDatabase = cmp.Or(layer.StateDatabase, settings.StateDatabase)
		if len(layer.ExtraSANs) > 0 {
			settings.ExtraSANs = layer.ExtraSANs
		}
	}
	return settings
}

// resolveLedger fills in the ledger's defaults.
func resolveLedger(spec v1alpha1.LedgerSpec) v1alpha1.LedgerSpec {
	fabric := ptr.Deref(spec.Fabric, v1alpha1.FabricSpec{})
	return v1alpha1.LedgerSpec{
		Type: cmp.Or(spec.Type, v1alpha1.LedgerFabric),
		Fabric: &v1alpha1.FabricSpec{
			PeerImage:               cmp.Or(fabric.PeerImage, DefaultPeerImage),
			OrdererImage:            cmp.Or(fabric.OrdererImage, DefaultOrdererImage),
			CouchDBImage:            cmp.Or(fabric.CouchDBImage, DefaultCouchDBImage),
			Capabilities:            cmp.Or(fabric.Capabilities, DefaultCapabilities),
			ApplicationCapabilities: cmp.Or(fabric.ApplicationCapabilities, DefaultApplication),
		},
	}
}
