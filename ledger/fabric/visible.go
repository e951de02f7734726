package fabric

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/discovery"
	"google.golang.org/grpc"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// errNoOrderer is a gateway peer's message when no orderer of a channel accepts a transaction: they are unreachable, or
// have not elected a leader.
const errNoOrderer = "no orderers could successfully process transaction"

// errNoChannel is an orderer's message before it has joined a channel, with status BAD_REQUEST.
const errNoChannel = "channel does not exist"

// errMVCCConflict is the validation code of a transaction that was endorsed on an outdated state.
const errMVCCConflict = "MVCC_READ_CONFLICT"

// errNotAgreed is what a peer says that is asked to endorse the commit of a contract before it has its own organization's approval.
var errNotAgreed = regexp.MustCompile(`chaincode definition not agreed to by this org \(([a-zA-Z0-9.-]+)\)`)

// errTooFewPeers are a gateway peer's messages when the peers that it sees cannot satisfy an endorsement policy.
var errTooFewPeers = []string{
	"no combination of peers can be derived",
	"no peers available to",
	"failed to select a set of endorsers",
}

// stepError adds the step and the contract to an error, but not to a Waiting.
func (s *session) stepError(ctx context.Context, what string, contract v1alpha1.PlanContract, err error) error {
	err = s.asWaiting(ctx, contract.Channel, err)
	var waiting *ledger.Waiting
	if errors.As(err, &waiting) {
		return waiting
	}
	return fmt.Errorf("%s contract %s on channel %s: %w", what, contract.Name, contract.Channel, err)
}

// notAgreed are the Members one of whose peers has refused to endorse the commit of a contract, because it does not have its own
// organization's approval: that is in a block which has not reached it yet.
func notAgreed(text string) []string {
	var members []string
	for _, found := range errNotAgreed.FindAllStringSubmatch(text, -1) {
		members = append(members, memberOfMSPID(found[1]))
	}
	slices.Sort(members)
	return slices.Compact(members)
}

// asWaiting converts the error of a gateway peer that cannot reach enough others to a Waiting that names the missing.
func (s *session) asWaiting(ctx context.Context, channel string, err error) error {
	text := err.Error()
	if strings.Contains(text, errNoOrderer) || strings.Contains(text, errNoChannel) {
		planned, _ := channelOf(s.plan, channel)
		return ledger.WaitingFor("the orderers of", orderingMembers(s.plan, planned)...)
	}
	if strings.Contains(text, errMVCCConflict) {
		return ledger.WaitingFor("this member's peers to catch up with channel " + channel)
	}
	if members := notAgreed(text); len(members) > 0 {
		return ledger.WaitingFor("the approvals to reach the peers of", members...)
	}
	if !slices.ContainsFunc(errTooFewPeers, func(said string) bool { return strings.Contains(text, said) }) {
		return err
	}
	waiting := ledger.WaitingFor("this member's peers to see those of", s.invisiblePeers(ctx, channel)...)
	if len(waiting.For) == 0 {
		waiting.What = "this member's peers to see enough of the others' on channel " + channel
	}
	return waiting
}

// invisiblePeers names the channel's members none of whose peers are visible to this Member's peers; nobody, if that
// cannot be queried.
func (s *session) invisiblePeers(ctx context.Context, name string) []string {
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
