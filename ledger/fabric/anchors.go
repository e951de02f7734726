package fabric

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	ordererpb "github.com/hyperledger/fabric-protos-go-apiv2/orderer"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

const (
	// broadcastTimeout is the time limit of one orderer before the next is tried.
	broadcastTimeout = 10 * time.Second
	// updateTimeout is how long an ordered update may take to reach the Member's own peer.
	updateTimeout, updatePoll = 10 * time.Second, 200 * time.Millisecond
)

// setAnchors names the Member's peers in the channel's configuration, so that the other members' peers find them: those that
// were added since the first block, which names all others. Each organization changes its own group only, so updates of
// several at once do not stand in each other's way for long.
func (s *session) setAnchors(ctx context.Context, channel v1alpha1.PlanChannel) error {
	if !slices.Contains(channel.Members, s.plan.Spec.Member) || len(s.peers()) == 0 {
		return nil
	}
	config, err := s.configOf(ctx, channel.Name)
	if err != nil {
		return err
	}
	update, err := s.anchorUpdate(channel, config)
	if err != nil || update == nil {
		return err
	}
	if err := s.broadcast(ctx, channel, update); err != nil {
		return err
	}
	return s.awaitAnchors(ctx, channel)
}

// anchorUpdate is the signed update that adds the missing anchor peers; nil if none is missing.
func (s *session) anchorUpdate(channel v1alpha1.PlanChannel, config *common.Config) (*common.Envelope, error) {
	if config.GetChannelGroup().GetGroups()[configtx.ApplicationGroupKey] == nil {
		return nil, fmt.Errorf("channel %s has no application group", channel.Name)
	}
	change := configtx.New(config)
	organization := change.Application().Organization(MSPID(s.plan, s.plan.Spec.Member))
	if organization == nil {
		return nil, fmt.Errorf("%s is not in the configuration of channel %s", s.plan.Spec.Member, channel.Name)
	}
	known, err := organization.AnchorPeers()
	if err != nil {
		return nil, err
	}
	missing := false
	for _, node := range s.peers() {
		anchor := configtx.Address{Host: v1alpha1.NodeHost(node, s.plan.Spec.Consortium), Port: v1alpha1.PortPeer}
		if slices.Contains(known, anchor) {
			continue
		}
		missing = true
		if err := organization.AddAnchorPeer(anchor); err != nil {
			return nil, err
		}
	}
	if !missing {
		return nil, nil
	}
	return s.signUpdate(change, channel.Name)
}

func (s *session) signUpdate(change configtx.ConfigTx, channel string) (*common.Envelope, error) {
	update, err := change.ComputeMarshaledUpdate(channel)
	if err != nil {
		return nil, err
	}
	signature, err := s.signer.CreateConfigSignature(update)
	if err != nil {
		return nil, err
	}
	envelope, err := configtx.NewEnvelope(update, signature)
	if err != nil {
		return nil, err
	}
	return envelope, s.signer.SignEnvelope(envelope)
}

// awaitAnchors waits until the Member's own peer has the update.
func (s *session) awaitAnchors(ctx context.Context, channel v1alpha1.PlanChannel) error {
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	tick := time.NewTicker(updatePoll)
	defer tick.Stop()
	for {
		if config, err := s.configOf(ctx, channel.Name); err == nil {
			if update, err := s.anchorUpdate(channel, config); err == nil && update == nil {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ledger.WaitingFor("the block with the anchor peers of channel " + channel.Name + " to come from the orderers")
		}
	}
}

// broadcast hands an envelope to an orderer of the channel: one's own first, then the others', until one takes it.
func (s *session) broadcast(ctx context.Context, channel v1alpha1.PlanChannel, envelope *common.Envelope) error {
	own := s.plan.Spec.Member
	members := orderingMembers(s.plan, channel)
	slices.SortStableFunc(members, func(a, b string) int {
		switch {
		case a == own && b != own:
			return -1
		case b == own && a != own:
			return 1
		default:
			return 0
		}
	})
	var failed []error
	for _, name := range members {
		member, _ := ledger.MemberOf(s.plan, name)
		for _, node := range ledger.NodesOf(member, v1alpha1.RoleOrderer) {
			err := s.broadcastTo(ctx, name, node, envelope)
			var refused *rejectedUpdate
			if err == nil || errors.As(err, &refused) {
				return err
			}
			failed = append(failed, fmt.Errorf("%s: %s", node, rootCause(err)))
		}
	}
	// No orderer can be reached, or they have not yet agreed on a leader: either passes without anything done here.
	waiting := ledger.WaitingFor("the orderers of", orderingMembers(s.plan, channel)...)
	waiting.Cause = errors.Join(failed...)
	return waiting
}

func (s *session) broadcastTo(ctx context.Context, member, node string, envelope *common.Envelope) error {
	ctx, cancel := context.WithTimeout(ctx, broadcastTimeout)
	defer cancel()
	roots := s.ownRoots
	if member != s.plan.Spec.Member {
		published, err := parseRoots(s.records[member].TLSRoots)
		if err != nil {
			return fmt.Errorf("the TLS roots of %s: %w", member, err)
		}
		roots = pool(published)
	}
	connection, err := s.connection(nodeAddress(s.plan, node, v1alpha1.PortOrderer), roots)
	if err != nil {
		return err
	}
	stream, err := ordererpb.NewAtomicBroadcastClient(connection).Broadcast(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(envelope); err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	switch answer.GetStatus() {
	case common.Status_SUCCESS:
		return stream.CloseSend()
	case common.Status_SERVICE_UNAVAILABLE, common.Status_INTERNAL_SERVER_ERROR, common.Status_NOT_FOUND:
		return fmt.Errorf("%s: %s", answer.GetStatus(), answer.GetInfo())
	default:
		if answer.GetInfo() == errNoChannel {
			return errors.New(errNoChannel)
		}
		return &rejectedUpdate{node: node, status: answer.GetStatus(), info: answer.GetInfo()}
	}
}

// rejectedUpdate is the error of an update that no other orderer would take either. Computed anew, from a newer
// configuration, it may pass.
type rejectedUpdate struct {
	node   string
	status common.Status
	info   string
}

func (r *rejectedUpdate) Error() string {
	return fmt.Sprintf("orderer %s rejected the anchor peers with %s: %s", r.node, r.status, r.info)
}
