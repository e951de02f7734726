package fabric

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-config/configtx/membership"
	"github.com/hyperledger/fabric-config/configtx/orderer"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// network is what a channel's configuration is computed from.
type network struct {
	plan    *v1alpha1.MemberPlan
	records map[string]v1alpha1.Record
}

// channelConfig computes a channel's first configuration, from the plan and the records alone, so that every Member
// comes to the same one. consenters holds certificates to use instead of the ones in the records, by host.
func (n network) channelConfig(channel v1alpha1.PlanChannel, consenters map[string]*x509.Certificate) (configtx.Channel, error) {
	ordering := orderingMembers(n.plan, channel)
	if err := n.recordsKnown(slices.Concat(channel.Members, ordering)); err != nil {
		return configtx.Channel{}, err
	}
	application, err := n.application(channel)
	if err != nil {
		return configtx.Channel{}, err
	}
	ordererGroup, err := n.orderer(channel, ordering, consenters)
	if err != nil {
		return configtx.Channel{}, err
	}
	return configtx.Channel{
		Application:  application,
		Orderer:      ordererGroup,
		Capabilities: []string{settings(n.plan).Capabilities},
		Policies:     groupPolicies(),
	}, nil
}

func (n network) recordsKnown(members []string) error {
	var missing []string
	for _, member := range members {
		if _, known := n.records[member]; !known && !slices.Contains(missing, member) {
			missing = append(missing, member)
		}
	}
	if len(missing) > 0 {
		return ledger.WaitingFor("the record of", missing...)
	}
	return nil
}

func (n network) application(channel v1alpha1.PlanChannel) (configtx.Application, error) {
	policies, err := applicationPolicies(n.plan, channel)
	if err != nil {
		return configtx.Application{}, err
	}
	application := configtx.Application{
		Capabilities: []string{settings(n.plan).ApplicationCapabilities},
		Policies:     policies,
	}
	for _, member := range channel.Members {
		msp, err := n.msp(member)
		if err != nil {
			return configtx.Application{}, err
		}
		application.Organizations = append(application.Organizations, configtx.Organization{
			Name: MSPID(n.plan, member), MSP: msp,
			Policies: map[string]configtx.Policy{
				configtx.ReadersPolicyKey:     anyRole(MSPID(n.plan, member), "admin", "peer", "client"),
				configtx.WritersPolicyKey:     anyRole(MSPID(n.plan, member), "admin", "client"),
				configtx.AdminsPolicyKey:      anyRole(MSPID(n.plan, member), "admin"),
				configtx.EndorsementPolicyKey: anyRole(MSPID(n.plan, member), "peer"),
			},
		})
	}
	return application, nil
}

func (n network) orderer(channel v1alpha1.PlanChannel, ordering []string, consenters map[string]*x509.Certificate) (configtx.Orderer, error) {
	policies := groupPolicies()
	policies[configtx.BlockValidationPolicyKey] = implicit("ANY", configtx.WritersPolicyKey)
	group := configtx.Orderer{
		OrdererType:  orderer.ConsensusTypeEtcdRaft,
		BatchTimeout: batchTimeout(channel.Batch),
		BatchSize:    batchSize(channel.Batch),
		EtcdRaft: orderer.EtcdRaft{Options: orderer.EtcdRaftOptions{
			TickInterval: "500ms", ElectionTick: 10, HeartbeatTick: 1, MaxInflightBlocks: 5, SnapshotIntervalSize: 16 << 20,
		}},
		// The orderer group has known no higher level since.
		Capabilities: []string{"V2_0"},
		Policies:     policies,
		State:        orderer.ConsensusStateNormal,
	}
	for _, name := range ordering {
		organization, nodes, err := n.orderingOrganization(name, consenters)
		if err != nil {
			return configtx.Orderer{}, err
		}
		group.Organizations = append(group.Organizations, organization)
		group.EtcdRaft.Consenters = append(group.EtcdRaft.Consenters, nodes...)
	}
	if len(group.Organizations) == 0 {
		return configtx.Orderer{}, fmt.Errorf("no member of consortium %s runs an orderer: let at least one do so", n.plan.Spec.Consortium)
	}
	return group, nil
}

// orderingOrganization is a Member's part in the orderer group. Its nodes are those of the plan; a record only adds the
// certificate of each.
func (n network) orderingOrganization(name string, consenters map[string]*x509.Certificate) (configtx.Organization, []orderer.Consenter, error) {
	msp, err := n.msp(name)
	if err != nil {
		return configtx.Organization{}, nil, err
	}
	organization := configtx.Organization{
		Name: MSPID(n.plan, name), MSP: msp,
		Policies: map[string]configtx.Policy{
			configtx.ReadersPolicyKey: anyRole(MSPID(n.plan, name), "member"),
			// A block counts when a Writer of an ordering organization has signed it: its orderers, not its clients.
			configtx.WritersPolicyKey: anyRole(MSPID(n.plan, name), "orderer", "admin"),
			configtx.AdminsPolicyKey:  anyRole(MSPID(n.plan, name), "admin"),
		},
	}
	member, _ := ledger.MemberOf(n.plan, name)
	var nodes []orderer.Consenter
	for _, node := range ledger.NodesOf(member, v1alpha1.RoleOrderer) {
		host := v1alpha1.NodeHost(node, n.plan.Spec.Consortium)
		certificate, err := n.consenterCertificate(name, node)
		if err != nil {
			return configtx.Organization{}, nil, err
		}
		if other := consenters[host]; other != nil && sameKeyAndAuthority(other, certificate, msp.TLSRootCerts) {
			certificate = other
		}
		nodes = append(nodes, orderer.Consenter{
			Address:       orderer.EtcdAddress{Host: host, Port: v1alpha1.PortOrderer},
			ClientTLSCert: certificate, ServerTLSCert: certificate,
		})
		organization.OrdererEndpoints = append(organization.OrdererEndpoints, nodeAddress(n.plan, node, v1alpha1.PortOrderer))
	}
	return organization, nodes, nil
}

// consenterCertificate is an orderer's TLS certificate, out of its Member's record.
func (n network) consenterCertificate(member, node string) (*x509.Certificate, error) {
	for _, published := range n.records[member].Nodes {
		if published.Name != node || published.TLSCertificate == "" {
			continue
		}
		certificate, err := parseCertificate([]byte(published.TLSCertificate))
		if err != nil {
			return nil, fmt.Errorf("the TLS certificate of %s in the record of %s: %w", node, member, err)
		}
		roots, err := parseRoots(n.records[member].TLSRoots)
		if err != nil {
			return nil, fmt.Errorf("the TLS roots in the record of %s: %w", member, err)
		}
		if !sameKeyAndAuthority(certificate, certificate, roots) {
			return nil, fmt.Errorf("the TLS certificate of %s in the record of %s is not issued by any of its TLS roots", node, member)
		}
		return certificate, nil
	}
	return nil, ledger.WaitingFor("the TLS certificate of orderer "+node+" in the record of", member)
}

func (n network) msp(member string) (configtx.MSP, error) {
	roots, err := parseRoots(n.records[member].IdentityRoots)
	if err != nil {
		return configtx.MSP{}, fmt.Errorf("the identity roots in the record of %s: %w", member, err)
	}
	for i := range roots {
		if roots[i], err = lowS(roots[i]); err != nil {
			return configtx.MSP{}, fmt.Errorf("the identity roots in the record of %s: %w", member, err)
		}
	}
	tlsRoots, err := parseRoots(n.records[member].TLSRoots)
	if err != nil {
		return configtx.MSP{}, fmt.Errorf("the TLS roots in the record of %s: %w", member, err)
	}
	unit := func(name string) membership.OUIdentifier {
		return membership.OUIdentifier{Certificate: roots[0], OrganizationalUnitIdentifier: name}
	}
	return configtx.MSP{
		Name: MSPID(n.plan, member), RootCerts: roots, TLSRootCerts: tlsRoots,
		CryptoConfig: membership.CryptoConfig{SignatureHashFamily: "SHA2", IdentityIdentifierHashFunction: "SHA256"},
		NodeOUs: membership.NodeOUs{
			Enable:             true,
			ClientOUIdentifier: unit("client"), PeerOUIdentifier: unit("peer"),
			AdminOUIdentifier: unit("admin"), OrdererOUIdentifier: unit("orderer"),
		},
	}, nil
}

func batchSize(batch v1alpha1.Batch) orderer.BatchSize {
	size := orderer.BatchSize{MaxMessageCount: 500, AbsoluteMaxBytes: 10 << 20, PreferredMaxBytes: 2 << 20}
	if batch.MaxMessages > 0 {
		size.MaxMessageCount = uint32(batch.MaxMessages)
	}
	if batch.AbsoluteMaxBytes != nil {
		size.AbsoluteMaxBytes = clamp(batch.AbsoluteMaxBytes.Value())
	}
	if batch.PreferredMaxBytes != nil {
		size.PreferredMaxBytes = clamp(batch.PreferredMaxBytes.Value())
	}
	return size
}

// clamp keeps a size within what gRPC carries between the nodes.
func clamp(bytes int64) uint32 { return uint32(min(max(bytes, 1<<10), 99<<20)) }

func batchTimeout(batch v1alpha1.Batch) time.Duration {
	if batch.Timeout == nil || batch.Timeout.Duration <= 0 {
		return 2 * time.Second
	}
	return batch.Timeout.Duration
}
