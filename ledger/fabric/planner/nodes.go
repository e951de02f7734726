package planner

import (
	"cmp"
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

// Nodes lists the nodes that a Member is to run, sorted by name.
func (p Planner) Nodes(consortium *v1alpha1.Consortium, m *v1alpha1.ConsortiumMember) []v1alpha1.PlanNode {
	settings, images := resolveSettings(consortium.Spec.Nodes, m.Nodes), p.Ledger(consortium.Spec.Ledger).Fabric
	peers, orderers := p.Count(m, v1alpha1.RolePeer), p.Count(m, v1alpha1.RoleOrderer)
	nodes := make([]v1alpha1.PlanNode, 0, peers+orderers)
	for i := range orderers {
		nodes = append(nodes, v1alpha1.PlanNode{
			Name: v1alpha1.NodeName(v1alpha1.RoleOrderer, i, m.Name), Role: v1alpha1.RoleOrderer, Image: images.OrdererImage,
			Storage: settings.Storage, Resources: settings.OrdererResources, LogLevel: settings.OrdererLogLevel, ExtraSANs: settings.ExtraSANs,
		})
	}
	for i := range peers {
		peer := v1alpha1.PlanNode{
			Name: v1alpha1.NodeName(v1alpha1.RolePeer, i, m.Name), Role: v1alpha1.RolePeer, Image: images.PeerImage,
			Storage: settings.Storage, Resources: settings.PeerResources, LogLevel: settings.PeerLogLevel, ExtraSANs: settings.ExtraSANs,
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
		settings.PeerLogLevel = cmp.Or(layer.PeerLogLevel, settings.PeerLogLevel)
		settings.OrdererLogLevel = cmp.Or(layer.OrdererLogLevel, settings.OrdererLogLevel)
		settings.StateDatabase = cmp.Or(layer.StateDatabase, settings.StateDatabase)
		if len(layer.ExtraSANs) > 0 {
			settings.ExtraSANs = layer.ExtraSANs
		}
	}
	return settings
}

// Ledger fills in the ledger's defaults.
func (Planner) Ledger(spec v1alpha1.LedgerSpec) v1alpha1.LedgerSpec {
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

// Target is the images that a Consortium declares.
func (p Planner) Target(spec v1alpha1.LedgerSpec) v1alpha1.RolloutTarget {
	fabric := p.Ledger(spec).Fabric
	return v1alpha1.RolloutTarget{PeerImage: fabric.PeerImage, OrdererImage: fabric.OrdererImage, CouchDBImage: fabric.CouchDBImage}
}
