package fabric

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/policytext"
)

// collectionsOf are a contract's collections of private data as its definition has them; nil if there are none.
func collectionsOf(ids func(member string) string, channel v1alpha1.PlanChannel, collections []v1alpha1.Collection) (*peer.CollectionConfigPackage, error) {
	var all []*peer.CollectionConfig
	for i := range collections {
		static, err := collectionOf(ids, channel, &collections[i])
		if err != nil {
			return nil, fmt.Errorf("collection %.64s: %w", collections[i].Name, err)
		}
		all = append(all, &peer.CollectionConfig{Payload: &peer.CollectionConfig_StaticCollectionConfig{StaticCollectionConfig: static}})
	}
	if all == nil {
		return nil, nil
	}
	return &peer.CollectionConfigPackage{Config: all}, nil
}

func collectionOf(ids func(member string) string, channel v1alpha1.PlanChannel, c *v1alpha1.Collection) (*peer.StaticCollectionConfig, error) {
	named, err := namesOf(ids, channel.Name, channel.Members, c.Members)
	if err != nil {
		return nil, err
	}
	if c.MaxPeers == nil || c.MemberOnlyRead == nil || c.MemberOnlyWrite == nil || c.BlockToLive < 0 {
		return nil, fmt.Errorf("the plan does not say all of it: upgrade the host")
	}
	holders := &policytext.Node{Count: 1}
	for _, id := range named {
		holders.Of = append(holders.Of, &policytext.Node{MSPID: id, Role: policytext.RoleMember})
	}
	envelope, err := envelopeOf(holders)
	if err != nil {
		return nil, err
	}
	static := &peer.StaticCollectionConfig{
		Name: c.Name, RequiredPeerCount: c.RequiredPeers, MaximumPeerCount: *c.MaxPeers, BlockToLive: uint64(c.BlockToLive),
		MemberOnlyRead: *c.MemberOnlyRead, MemberOnlyWrite: *c.MemberOnlyWrite,
		MemberOrgsPolicy: &peer.CollectionPolicyConfig{Payload: &peer.CollectionPolicyConfig_SignaturePolicy{SignaturePolicy: envelope}},
	}
	if c.Endorsement == nil {
		return static, nil
	}
	node, err := signaturePolicy(ids, channel.Name, channel.Members, c.Members, *c.Endorsement)
	if err != nil {
		return nil, err
	}
	var endorsement *common.SignaturePolicyEnvelope
	if endorsement, err = envelopeOf(node); err != nil {
		return nil, err
	}
	static.EndorsementPolicy = &peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: endorsement}}
	return static, nil
}
