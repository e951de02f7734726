package fabric

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// JoinPeer makes one of the Member's peers take part in a channel.
func (s *session) JoinPeer(ctx context.Context, node string, ch v1alpha1.PlanChannel) error {
	connection, err := s.peer(node)
	if err != nil {
		return err
	}
	channels, err := channel.ListChannelOnPeer(ctx, connection, s.admin)
	if err != nil {
		return fmt.Errorf("list the channels of %s: %w", node, answered(node, err))
	}
	for _, joined := range channels {
		if joined.GetChannelId() == ch.Name {
			return nil
		}
	}
	block := &common.Block{}
	if err := proto.Unmarshal(ch.Genesis, block); err != nil {
		return refuse("it is not a block: %v", err)
	}
	err = channel.JoinChannel(ctx, connection, s.admin, block)
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return fmt.Errorf("join channel %s with %s: %w", ch.Name, node, answered(node, err))
	}
	return nil
}

// Height is the number of blocks at the Member's highest peer.
func (s *session) Height(ctx context.Context, ch v1alpha1.PlanChannel) (int64, error) {
	var highest int64
	var failed error
	for _, node := range s.peers() {
		connection, err := s.peer(node)
		if err != nil {
			return 0, err
		}
		info, err := channel.GetBlockChainInfo(ctx, connection, s.admin, ch.Name)
		if err != nil {
			failed = fmt.Errorf("height of channel %s at %s: %w", ch.Name, node, answered(node, err))
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
		return "", fmt.Errorf("list the packages of %s: %w", node, answered(node, err))
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
		return "", fmt.Errorf("install contract %s on %s: %w", contract.Name, node, answered(node, err))
	case result.GetPackageId() != id:
		return "", fmt.Errorf("peer %s calls the package of contract %s %s, not %s: its Fabric release counts package IDs differently",
			node, contract.Name, result.GetPackageId(), id)
	}
	return id, nil
}

// configOf is a channel's present configuration, as one of the Member's peers knows it.
func (s *session) configOf(ctx context.Context, name string) (*common.Config, error) {
	var config *common.Config
	err := s.atAnyPeer(ctx, func(connection *grpc.ClientConn) error {
		block, err := channel.GetConfigBlock(ctx, connection, s.admin, name)
		if err != nil {
			return err
		}
		opened, err := openBlock(block)
		if err != nil {
			return fmt.Errorf("it does not serve the configuration of channel %s yet", name)
		}
		config = opened.config.GetConfig()
		return nil
	})
	return config, err
}
