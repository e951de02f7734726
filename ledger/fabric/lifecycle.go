package fabric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// The ledger counts the definitions that a channel has committed, without a gap, and the plan's sequence is the ledger's: the
// one that the definition has there, or the next one. What a definition does not say is the package: each organization
// approves its own, and a changed image is told by the package that it has approved.

// Definition reads what the ledger holds of a contract, and what this Member has approved.
func (s *session) Definition(ctx context.Context, contract v1alpha1.PlanContract) (ledger.Definition, error) {
	var found ledger.Definition
	err := s.atChannelPeer(ctx, contract.Channel, func(connection *grpc.ClientConn) error {
		want, err := s.plannedDefinition(contract)
		if err != nil {
			return err
		}
		found, err = s.definitionAt(ctx, chaincode.NewGateway(connection, s.admin), want)
		return err
	})
	if err != nil {
		return ledger.Definition{}, s.stepError(ctx, "query", contract, err)
	}
	return found, nil
}

// plannedDefinition is the plan's definition with the package of this Member.
func (s *session) plannedDefinition(contract v1alpha1.PlanContract) (*chaincode.Definition, error) {
	want, err := definitionOf(s.plan, contract)
	if err != nil {
		return nil, err
	}
	want.PackageID, _, err = contractPackage(s.plan.Spec.Consortium, contract)
	return want, err
}

func (s *session) definitionAt(ctx context.Context, gateway *chaincode.Gateway, want *chaincode.Definition) (ledger.Definition, error) {
	var d ledger.Definition
	have, err := gateway.QueryCommittedWithName(ctx, want.ChannelName, want.Name)
	switch {
	case isNotDefined(err):
		have = nil
	case err != nil:
		return d, err
	}
	var own *lifecycle.QueryApprovedChaincodeDefinitionResult
	if have != nil {
		d.Sequence = have.GetSequence()
		if own, err = approvedAt(ctx, gateway, want, d.Sequence); err != nil {
			return d, err
		}
		parts := differences(have, want)
		if d.Workload = workloadOf(own); d.Workload != "" && packageOf(own) != want.PackageID && d.Sequence != want.Sequence {
			parts = append(parts, fmt.Sprintf("image: this member has approved the package %.80s for it, not %.80s", packageOf(own), want.PackageID))
		}
		d.Differs, d.Forbidden = strings.Join(parts, "; "), forbidden(have, want)
	}
	if d.Sequence != want.Sequence {
		if own, err = approvedAt(ctx, gateway, want, want.Sequence); err != nil {
			return d, err
		}
	}
	d.Approved = own != nil && len(differences(own, want)) == 0 && packageOf(own) == want.PackageID
	return d, nil
}

// isNotDefined is whether a peer says that a channel has no contract of a name.
func isNotDefined(err error) bool {
	return err != nil && strings.Contains(withDetails(err).Error(), "is not defined")
}

// approvedAt is what this Member has approved under a sequence; nil if nothing.
func approvedAt(ctx context.Context, gateway *chaincode.Gateway, want *chaincode.Definition, sequence int64) (*lifecycle.QueryApprovedChaincodeDefinitionResult, error) {
	own, err := gateway.QueryApproved(ctx, want.ChannelName, want.Name, sequence)
	switch {
	case err == nil:
		return own, nil
	case isUnreachable(err) || status.Code(rootStatus(err)) == codes.Canceled:
		return nil, err
	}
	return nil, nil // Any other error of a peer means that there is none.
}

func packageOf(own *lifecycle.QueryApprovedChaincodeDefinitionResult) string {
	return own.GetSource().GetLocalPackage().GetPackageId()
}

// workloadOf is the name of the workload that serves an approved package: its label. A manually built package may have any.
func workloadOf(own *lifecycle.QueryApprovedChaincodeDefinitionResult) string {
	label, _, _ := strings.Cut(packageOf(own), ":")
	if len(label) > 63 {
		return ""
	}
	return label
}

// Approve approves a contract's definition for the Member under the plan's sequence, also where the channel has committed it
// without waiting for this Member: its peers endorse only what their own organization has approved.
func (s *session) Approve(ctx context.Context, contract v1alpha1.PlanContract) error {
	err := s.atChannelPeer(ctx, contract.Channel, func(connection *grpc.ClientConn) error {
		want, err := s.plannedDefinition(contract)
		if err != nil {
			return err
		}
		if err := chaincode.NewGateway(connection, s.admin).Approve(ctx, want); err != nil && !isUnchanged(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return s.stepError(ctx, "approve", contract, err)
	}
	return nil
}

// isUnchanged is whether a peer rejected an approval because it exists already.
func isUnchanged(err error) bool {
	return strings.Contains(withDetails(err).Error(), "with unchanged content")
}

// Commit commits a contract's definition once more than half of the channel's members have approved it.
func (s *session) Commit(ctx context.Context, contract v1alpha1.PlanContract) error {
	err := s.atChannelPeer(ctx, contract.Channel, func(connection *grpc.ClientConn) error {
		want, err := s.plannedDefinition(contract)
		if err != nil {
			return err
		}
		gateway := chaincode.NewGateway(connection, s.admin)
		readiness, err := gateway.CheckCommitReadiness(ctx, want)
		if err != nil {
			return err
		}
		if err := checkMajority(readiness.GetApprovals()); err != nil {
			return err
		}
		return gateway.Commit(ctx, want)
	})
	if err != nil {
		return s.stepError(ctx, "commit", contract, err)
	}
	return nil
}

// checkMajority is a Waiting that names who has not approved, if that is half of the members or more.
func checkMajority(approvals map[string]bool) error {
	var missing []string
	for id, approved := range approvals {
		if !approved {
			missing = append(missing, memberOfMSPID(id))
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
