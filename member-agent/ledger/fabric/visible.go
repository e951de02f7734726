package fabric

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/discovery"
	"google.golang.org/grpc"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// noOrderer is what a gateway peer says when none of a channel's orderers takes a transaction: they cannot be reached, or
// have not agreed on a leader.
const noOrderer = "no orderers could successfully process transaction"

// noChannel is what an orderer says before it has joined a channel, together with the status for a bad request.
const noChannel = "channel does not exist"

// conflict is how a transaction ends that was endorsed on a state that a peer has since left behind.
const conflict = "MVCC_READ_CONFLICT"

// tooFewPeers is what a gateway peer says when the peers that it sees cannot meet an endorsement policy.
var tooFewPeers = []string{
	"no combination of peers can be derived",
	"no peers available to",
	"failed to select a set of endorsers",
}

// failed says what was tried; a step that waits says only that.
func (s *session) failed(ctx context.Context, what string, contract v1alpha1.PlanContract, err error) error {
	err = s.waiting(ctx, contract.Channel, err)
	var waiting *ledger.Waiting
	if errors.As(err, &waiting) {
		return waiting
	}
	return fmt.Errorf("%s contract %s on channel %s: %w", what, contract.Name, contract.Channel, err)
}

// waiting turns the error of a gateway peer that cannot reach enough others into one that says who is missing.
func (s *session) waiting(ctx context.Context, channel string, err error) error {
	text := err.Error()
	if strings.Contains(text, noOrderer) || strings.Contains(text, noChannel) {
		planned, _ := channelOf(s.plan, channel)
		return ledger.WaitingFor("the orderers of", ledger.OrderingMembers(s.plan, planned)...)
	}
	if strings.Contains(text, conflict) {
		return ledger.WaitingFor("this member's peers to catch up with channel " + channel)
	}
	if !slices.ContainsFunc(tooFewPeers, func(said string) bool { return strings.Contains(text, said) }) {
		return err
	}
	waiting := ledger.WaitingFor("this member's peers to see those of", s.unseen(ctx, channel)...)
	if len(waiting.For) == 0 {
		waiting.What = "this member's peers to see enough of the others' on channel " + channel
	}
	return waiting
}

// unseen names the channel's members none of whose peers this Member's peers see; nobody, if that cannot be told.
func (s *session) unseen(ctx context.Context, name string) []string {
	channel, _ := channelOf(s.plan, name)
	var missing []string
	err := s.atChannelPeer(ctx, name, func(connection *grpc.ClientConn) error {
		seen, err := discovery.NewPeer(connection, s.admin).PeerMembershipQuery(ctx, name, nil)
		if err != nil {
			return err
		}
		missing = nil
		for _, member := range channel.Members {
			if len(seen.GetPeersByOrg()[MSPID(s.plan, member)].GetPeers()) == 0 {
				missing = append(missing, member)
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return missing
}
