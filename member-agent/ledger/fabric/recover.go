package fabric

import (
	"context"
	"fmt"

	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Recover asks the Member's peers for a channel's first block, should one have joined it.
func (s *session) Recover(ctx context.Context, ch v1alpha1.PlanChannel) ([]byte, error) {
	var raw []byte
	err := s.atAnyPeer(ctx, func(connection *grpc.ClientConn) error {
		channels, err := channel.ListChannelOnPeer(ctx, connection, s.admin)
		if err != nil {
			return err
		}
		for _, joined := range channels {
			if joined.GetChannelId() == ch.Name {
				raw, err = s.firstBlock(ctx, connection, ch.Name)
				return err
			}
		}
		return nil
	})
	return raw, err
}

// firstBlock reads a block back and makes it what it was before the peer wrote its own metadata into it.
func (s *session) firstBlock(ctx context.Context, connection *grpc.ClientConn, name string) ([]byte, error) {
	connected, err := gateway.Connect(s.admin, gateway.WithClientConnection(connection), gateway.WithHash(hash.NONE), gateway.WithSign(s.admin.Sign))
	if err != nil {
		return nil, err
	}
	defer connected.Close()
	answer, err := connected.GetNetwork(name).GetContract("qscc").
		EvaluateWithContext(ctx, "GetBlockByNumber", gateway.WithArguments(name, "0"), gateway.WithEndorsingOrganizations(s.admin.MspID()))
	if err != nil {
		return nil, fmt.Errorf("read the first block of channel %s: %w", name, err)
	}
	block := &common.Block{}
	if err := proto.Unmarshal(answer, block); err != nil {
		return nil, fmt.Errorf("read the first block of channel %s: %w", name, err)
	}
	if block.Metadata, err = firstMetadata(); err != nil {
		return nil, err
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(block)
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
