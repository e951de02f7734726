package fabric

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// joinPeer joins one of the Member's peers to a channel. For one that has joined already its ledger is checked.
func (s *session) joinPeer(ctx context.Context, node string, ch v1alpha1.PlanChannel, first ledger.FirstBlock) error {
	connection, err := s.peer(node)
	if err != nil {
		return err
	}
	joined, err := s.peerHasJoined(ctx, connection, node, ch.Name)
	if err != nil {
		return err
	}
	if joined {
		return s.checkLedger(ctx, node, ch.Name, first.Hash, s.firstAtPeer)
	}
	raw, err := first.Block(ctx)
	if err != nil {
		return err
	}
	block := &common.Block{}
	if err := proto.Unmarshal(raw, block); err != nil {
		return genesisError("it is not a block: %v", err)
	}
	err = channel.JoinChannel(ctx, connection, s.admin, block)
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return fmt.Errorf("join channel %s with %s: %w", ch.Name, node, waitIfUnreachable(node, err))
	}
	return s.checkLedger(ctx, node, ch.Name, first.Hash, s.firstAtPeer)
}

func (s *session) peerHasJoined(ctx context.Context, connection *grpc.ClientConn, node, name string) (bool, error) {
	channels, err := channel.ListChannelOnPeer(ctx, connection, s.admin)
	if err != nil {
		return false, fmt.Errorf("list the channels of %s: %w", node, waitIfUnreachable(node, err))
	}
	joined := slices.ContainsFunc(channels, func(c *peer.ChannelInfo) bool { return c.GetChannelId() == name })
	if !joined {
		s.ledgers.forget(s.ledgerKey(node, name))
	}
	return joined, nil
}

// Height is the number of blocks at the Member's highest peer.
func (s *session) Height(ctx context.Context, ch v1alpha1.PlanChannel) (int64, error) {
	var highest int64
	var failed error
	for _, node := range s.channelPeers(ch.Name) {
		connection, err := s.peer(node)
		if err != nil {
			return 0, err
		}
		info, err := channel.GetBlockChainInfo(ctx, connection, s.admin, ch.Name)
		if err != nil {
			failed = fmt.Errorf("height of channel %s at %s: %w", ch.Name, node, waitIfUnreachable(node, err))
			continue
		}
		highest = max(highest, int64(info.GetHeight()))
	}
	if highest > 0 {
		return highest, nil
	}
	return 0, failed
}

// Install puts a contract's package on one of the Member's peers.
func (s *session) Install(ctx context.Context, node string, contract v1alpha1.PlanContract) (string, error) {
	id, archive, err := contractPackage(s.plan.Spec.Consortium, contract)
	if err != nil {
		return "", err
	}
	connection, err := s.peer(node)
	if err != nil {
		return "", err
	}
	peer := chaincode.NewPeer(connection, s.admin)
	installed, err := peer.QueryInstalled(ctx)
	if err != nil {
		return "", fmt.Errorf("list the packages of %s: %w", node, waitIfUnreachable(node, err))
	}
	for _, found := range installed.GetInstalledChaincodes() {
		if found.GetPackageId() == id {
			return id, nil
		}
	}
	result, err := peer.Install(ctx, bytes.NewReader(archive))
	switch {
	case err != nil && strings.Contains(err.Error(), "already successfully installed"):
		return id, nil
	case err != nil:
		return "", fmt.Errorf("install contract %s on %s: %w", contract.Name, node, waitIfUnreachable(node, err))
	case result.GetPackageId() != id:
		return "", fmt.Errorf("peer %s calls the package of contract %s %s, not %s: its Fabric release counts package IDs differently",
			node, contract.Name, result.GetPackageId(), id)
	}
	return id, nil
}

// configOf is a channel's present configuration, as one of the Member's peers knows it.
func (s *session) configOf(ctx context.Context, name string) (*common.Config, error) {
	var config *common.Config
	err := s.atChannelPeer(ctx, name, func(connection *grpc.ClientConn) error {
		block, err := channel.GetConfigBlock(ctx, connection, s.admin, name)
		if err != nil {
			return err
		}
		opened, err := parseBlock(block)
		if err != nil {
			return fmt.Errorf("it does not serve the configuration of channel %s yet", name)
		}
		config = opened.config.GetConfig()
		return nil
	})
	return config, err
}
