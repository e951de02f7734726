package fabric

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// A plan counts the changes of a contract's declaration, Fabric the definitions that a channel has committed, without
// a gap. The two part where a declaration changed again before it was committed, or changed nothing that is in a
// definition (an image), or where the host has begun to count anew. So the plan's sequence is never given to Fabric:
// what is compared are the definitions, and a contract is at the plan's sequence once they are the same.

// target is where a contract's definition stands, and is to stand.
type target struct {
	chaincode.Definition
	// committed is whether the channel has committed this very definition.
	committed bool
	// present is Fabric's sequence of what the channel has committed; zero if nothing.
	present int64
}

// target compares the wanted definition with what the channel has committed.
func (s *session) target(ctx context.Context, connection *grpc.ClientConn, contract v1alpha1.PlanContract) (*target, error) {
	channel, found := channelOf(s.plan, contract.Channel)
	if !found {
		return nil, fmt.Errorf("contract %s is for channel %s, which is not in the plan", contract.Name, contract.Channel)
	}
	policy, err := contractPolicy(s.plan, channel, contract.Endorsement)
	if err != nil {
		return nil, err
	}
	id, _, err := contractPackage(s.plan.Spec.Consortium, contract)
	if err != nil {
		return nil, err
	}
	t := &target{Definition: chaincode.Definition{
		ChannelName: contract.Channel, Name: contract.Name, Version: contract.Version,
		PackageID: id, ApplicationPolicy: policy, Sequence: 1,
	}}
	all, err := chaincode.NewGateway(connection, s.admin).QueryCommitted(ctx, contract.Channel)
	if err != nil {
		return nil, err
	}
	for _, definition := range all.GetChaincodeDefinitions() {
		if definition.GetName() != contract.Name {
			continue
		}
		t.present = definition.GetSequence()
		t.committed, err = t.same(definition.GetVersion(), definition.GetValidationParameter())
		if t.Sequence = t.present; !t.committed {
			t.Sequence++
		}
	}
	return t, err
}

// same is whether a definition's version and endorsement policy are the wanted ones.
func (t *target) same(version string, validationParameter []byte) (bool, error) {
	wanted, err := proto.Marshal(t.ApplicationPolicy)
	if err != nil {
		return false, err
	}
	return version == t.Version && bytes.Equal(wanted, validationParameter), nil
}

// Approve approves a contract's definition for the Member, also where the channel has committed it without waiting for
// this Member: its peers endorse only what their own organization has approved.
func (s *session) Approve(ctx context.Context, contract v1alpha1.PlanContract) (int64, error) {
	err := s.atChannelPeer(ctx, contract.Channel, func(connection *grpc.ClientConn) error {
		t, err := s.target(ctx, connection, contract)
		if err != nil {
			return err
		}
		gateway := chaincode.NewGateway(connection, s.admin)
		approved, err := gateway.QueryApproved(ctx, contract.Channel, contract.Name, t.Sequence)
		if err == nil {
			done, err := t.approvedBy(approved)
			if err != nil || done {
				return err
			}
		} else if unreachable(err) {
			return err
		}
		if err := gateway.Approve(ctx, &t.Definition); err != nil && !unchanged(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return 0, s.failed(ctx, "approve", contract, err)
	}
	return contract.Sequence, nil
}

func (t *target) approvedBy(approved *lifecycle.QueryApprovedChaincodeDefinitionResult) (bool, error) {
	same, err := t.same(approved.GetVersion(), approved.GetValidationParameter())
	return same && approved.GetSource().GetLocalPackage().GetPackageId() == t.PackageID, err
}

// unchanged is whether a peer refused an approval because it has that very approval already.
func unchanged(err error) bool {
	return strings.Contains(explain(err).Error(), "with unchanged content")
}

// Commit commits a contract's definition once more than half of the channel's members have approved it.
func (s *session) Commit(ctx context.Context, contract v1alpha1.PlanContract) error {
	err := s.atChannelPeer(ctx, contract.Channel, func(connection *grpc.ClientConn) error {
		t, err := s.target(ctx, connection, contract)
		if err != nil || t.committed {
			return err
		}
		gateway := chaincode.NewGateway(connection, s.admin)
		readiness, err := gateway.CheckCommitReadiness(ctx, &t.Definition)
		if err != nil {
			return err
		}
		if err := enough(readiness.GetApprovals()); err != nil {
			return err
		}
		return gateway.Commit(ctx, &t.Definition)
	})
	if err != nil {
		return s.failed(ctx, "commit", contract, err)
	}
	return nil
}

// enough is an error that names who has not approved while that are half of the members or more.
func enough(approvals map[string]bool) error {
	var missing []string
	for id, approved := range approvals {
		if !approved {
			missing = append(missing, usualMember(id))
		}
	}
	if 2*len(missing) < len(approvals) {
		return nil
	}
	slices.Sort(missing)
	waiting := ledger.WaitingFor("the approval of", missing...)
	waiting.Cause = ledger.ErrNotApproved
	return waiting
}

// Committed is the plan's sequence once the channel has committed what the plan declares, and something less before.
func (s *session) Committed(ctx context.Context, contract v1alpha1.PlanContract) (int64, error) {
	var sequence int64
	err := s.atChannelPeer(ctx, contract.Channel, func(connection *grpc.ClientConn) error {
		t, err := s.target(ctx, connection, contract)
		if err != nil {
			return err
		}
		if sequence = contract.Sequence; !t.committed {
			sequence = min(t.present, contract.Sequence-1)
		}
		return nil
	})
	if err != nil {
		return 0, s.failed(ctx, "query", contract, err)
	}
	return sequence, nil
}
