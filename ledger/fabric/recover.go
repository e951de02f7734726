package fabric

import (
	"context"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Recover reads a channel's first block from the Member's peers, if one has joined the channel. If none has, all have to answer:
// one that does not may be the one that has joined.
func (s *session) Recover(ctx context.Context, ch v1alpha1.PlanChannel) (node string, raw []byte, err error) {
	for _, node := range s.peers() {
		connection, err := s.peer(node)
		if err != nil {
			return "", nil, err
		}
		joined, err := s.peerHasJoined(ctx, connection, node, ch.Name)
		if err != nil {
			return "", nil, err
		}
		if !joined {
			continue
		}
		block, err := s.firstAtPeer(ctx, node, ch.Name)
		if err != nil {
			return "", nil, err
		}
		// What it was before the peer wrote its own metadata into it.
		if block.Metadata, err = firstMetadata(); err != nil {
			return "", nil, err
		}
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(block)
		return node, raw, err
	}
	return "", nil, nil
}

// firstMetadata is the metadata of every first block: that itself is the last configuration, in both places where Fabric
// has looked for that.
func firstMetadata() (*common.BlockMetadata, error) {
	last := &common.LastConfig{Index: 0}
	metadata := &common.BlockMetadata{Metadata: make([][]byte, len(common.BlockMetadataIndex_name))}
	for index, value := range map[common.BlockMetadataIndex]proto.Message{
		common.BlockMetadataIndex_LAST_CONFIG: last, //nolint:staticcheck // deprecated, and still what older readers look at
		common.BlockMetadataIndex_SIGNATURES:  &common.OrdererBlockMetadata{LastConfig: last},
	} {
		raw, err := proto.Marshal(value)
		if err != nil {
			return nil, err
		}
		if metadata.Metadata[index], err = proto.Marshal(&common.Metadata{Value: raw}); err != nil {
			return nil, err
		}
	}
	return metadata, nil
}
