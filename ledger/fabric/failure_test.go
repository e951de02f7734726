package fabric

import (
	"context"
	"errors"
	"strings"
	"testing"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hanse-io/hanse/ledger"
)

func TestFailure(t *testing.T) {
	detailed := func(code codes.Code, message, detail string) error {
		s, err := status.New(code, message).WithDetails(&gatewaypb.ErrorDetail{Address: "peer0-org2:7051", MspId: "org2MSP", Message: detail})
		if err != nil {
			t.Fatal(err)
		}
		return s.Err()
	}
	for _, row := range []struct {
		why  string
		err  error
		kind ledger.FailureKind
		says string
	}{
		{"the contract's own word is all that a person needs",
			detailed(codes.Aborted, "failed to endorse transaction, see attached details for more info", "chaincode response 500, invoice-7 is there already"),
			ledger.FailedByContract, "the contract refused: invoice-7 is there already (status 500)"},
		{"a query's too", status.Error(codes.Unknown, "evaluate call to endorser returned error: chaincode response 500, no invoice-8"), ledger.FailedByContract, "no invoice-8"},
		{"what another organization's node said is kept", detailed(codes.Aborted, "failed to collect enough transaction endorsements", "ProposalResponsePayloads do not match"),
			ledger.FailedToBeEndorsed, "ProposalResponsePayloads do not match"},
		{"an organization is down", status.Error(codes.FailedPrecondition, "no combination of peers can be derived which satisfy the endorsement policy"), ledger.FailedToBeEndorsed, "no combination of peers"},
		{"two wrote the same", &gateway.CommitError{TransactionID: "ab12", Code: peer.TxValidationCode_MVCC_READ_CONFLICT}, ledger.FailedToCommit, "try again"},
		{"endorsed under an older policy", &gateway.CommitError{TransactionID: "ab12", Code: peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE}, ledger.FailedToBeEndorsed, "ab12"},
		{"no orderer", status.Error(codes.Unavailable, "no orderers could successfully process transaction"), ledger.FailedToReach, "no orderers"},
		{"the time is over", context.DeadlineExceeded, ledger.FailedToReach, "did not answer in time"},
		{"anything else is said as it is", status.Error(codes.PermissionDenied, "creator is malformed"), ledger.FailedOtherwise, "creator is malformed"},
	} {
		err := failure(row.err)
		var f *ledger.Failure
		if !errors.As(err, &f) || f.Kind != row.kind || !strings.Contains(f.Error(), row.says) {
			t.Errorf("%s: kind %v: %v", row.why, f, err)
		}
	}
	if err := failure(nil); err != nil {
		t.Errorf("success is no failure: %v", err)
	}
}
