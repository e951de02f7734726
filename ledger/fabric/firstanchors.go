package fabric

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// addAnchors puts the peers of a channel's members into its first block, so that they find each other without an update of
// the configuration by each organization. fabric-config leaves an organization's anchor peers out of a first block.
// counts are how many of its peers the block is to name of each member, by MSP ID; all that the plan has where there is none.
func (n network) addAnchors(block *common.Block, channel v1alpha1.PlanChannel, counts map[string]int) error {
	envelope, payload, config := &common.Envelope{}, &common.Payload{}, &common.ConfigEnvelope{}
	for _, part := range []struct {
		raw  func() []byte
		into proto.Message
	}{
		{func() []byte { return block.GetData().GetData()[0] }, envelope},
		{envelope.GetPayload, payload},
		{payload.GetData, config},
	} {
		if err := proto.Unmarshal(part.raw(), part.into); err != nil {
			return fmt.Errorf("read the first block of channel %s as it was made: %w", channel.Name, err)
		}
	}
	groups := config.GetConfig().GetChannelGroup().GetGroups()[configtx.ApplicationGroupKey].GetGroups()
	for _, member := range channel.Members {
		id := MSPID(n.plan, member)
		anchors, err := n.anchorPeers(member, counts)
		if err != nil {
			return err
		}
		if anchors != nil {
			groups[id].Values[configtx.AnchorPeersKey] = &common.ConfigValue{Value: anchors, ModPolicy: configtx.AdminsPolicyKey}
		}
	}
	var err error
	for _, part := range []struct {
		from proto.Message
		into *[]byte
	}{{config, &payload.Data}, {payload, &envelope.Payload}, {envelope, &block.Data.Data[0]}} {
		if *part.into, err = (proto.MarshalOptions{Deterministic: true}).Marshal(part.from); err != nil {
			return err
		}
	}
	hash := sha256.Sum256(block.Data.Data[0])
	block.Header.DataHash = hash[:]
	return nil
}

// anchorPeers encodes the addresses of a member's peers; nil if there is none.
func (n network) anchorPeers(member string, counts map[string]int) ([]byte, error) {
	planned, _ := ledger.MemberOf(n.plan, member)
	names := ledger.NodesOf(planned, v1alpha1.RolePeer)
	if count, given := counts[MSPID(n.plan, member)]; given {
		names = peerNames(member, count)
	}
	if len(names) == 0 {
		return nil, nil
	}
	all := &peer.AnchorPeers{}
	for _, node := range names {
		all.AnchorPeers = append(all.AnchorPeers, &peer.AnchorPeer{
			Host: v1alpha1.NodeHost(node, n.plan.Spec.Consortium), Port: v1alpha1.PortPeer,
		})
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(all)
}

// peerNames are those of a member's first peers, in the order of NodesOf.
func peerNames(member string, count int) []string {
	var names []string
	for i := range count {
		names = append(names, v1alpha1.NodeName(v1alpha1.RolePeer, int32(i), member))
	}
	slices.Sort(names)
	return names
}

// maxAnchors is how many peers of one member a first block may name.
const maxAnchors = 32

// anchorCounts says how many peers of each member a block names, by MSP ID. Peers are added in a member's life, so that the
// plan of whoever checks the block later, or earlier, can have another number of them; which they are follows from the number,
// and those that are left out their own organization adds. The block is untrusted: of what cannot be read nothing is said,
// and the comparison finds it.
func anchorCounts(envelope *common.ConfigEnvelope) map[string]int {
	counts := map[string]int{}
	for id, group := range envelope.GetConfig().GetChannelGroup().GetGroups()[configtx.ApplicationGroupKey].GetGroups() {
		anchors := &peer.AnchorPeers{}
		if proto.Unmarshal(group.GetValues()[configtx.AnchorPeersKey].GetValue(), anchors) != nil {
			continue
		}
		if count := len(anchors.GetAnchorPeers()); count <= maxAnchors {
			counts[id] = count
		}
	}
	return counts
}
