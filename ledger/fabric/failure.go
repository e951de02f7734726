package fabric

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hanse-io/hanse/ledger"
)

// contractResponsePattern is a peer's message for an error response of a contract.
var contractResponsePattern = regexp.MustCompile(`(?s)chaincode response (\d+), (.*)$`)

// contractResponse is the contract's error response, if the contract failed the call.
func contractResponse(err error) (code, text string, found bool) {
	carried := status.Convert(rootStatus(err))
	messages := []string{carried.Message()}
	for _, detail := range carried.Details() {
		if detail, ok := detail.(*gatewaypb.ErrorDetail); ok {
			messages = append(messages, detail.GetMessage())
		}
	}
	for _, message := range messages {
		if said := contractResponsePattern.FindStringSubmatch(message); said != nil {
			return said[1], said[2], true
		}
	}
	return "", "", false
}

// failure says in a sentence why a call failed. It is nil where err is.
func failure(err error) error {
	if err == nil {
		return nil
	}
	var invalid *gateway.CommitError
	if errors.As(err, &invalid) {
		return invalidated(invalid.TransactionID, invalid.Code, err)
	}
	if code, text, found := contractResponse(err); found {
		return &ledger.Failure{Kind: ledger.FailedByContract, Text: fmt.Sprintf("the contract refused: %s (status %s)", text, code), Err: err}
	}
	err = withDetails(err)
	var unknown *unknownError
	if errors.As(err, &unknown) {
		return &ledger.Failure{Kind: ledger.FailedToReach, Text: fmt.Sprintf("transaction %s was handed to the orderers, and no peer has said in time what became of it: look on the ledger before you send it again (%v)", unknown.id, err), Err: err}
	}
	code := status.Code(rootStatus(err))
	if errors.Is(err, context.DeadlineExceeded) {
		code = codes.DeadlineExceeded
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return &ledger.Failure{Kind: ledger.FailedToReach, Text: fmt.Sprintf("a required node did not answer in time: %v", err), Err: err}
	case codes.Aborted, codes.FailedPrecondition:
		return &ledger.Failure{Kind: ledger.FailedToBeEndorsed, Text: fmt.Sprintf("not enough organizations endorsed it for the contract's policy; nothing was written: %v", err), Err: err}
	default:
		return &ledger.Failure{Kind: ledger.FailedOtherwise, Text: err.Error(), Err: err}
	}
}

// invalidated is the failure of a transaction that a block holds and that has no effect.
func invalidated(id string, code peer.TxValidationCode, err error) error {
	hint := "nothing was written"
	kind := ledger.FailedToCommit
	switch code {
	case peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT:
		hint = "another transaction changed the same in between; nothing was written: try again"
	case peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE:
		kind, hint = ledger.FailedToBeEndorsed, "its endorsements do not meet the contract's policy; nothing was written"
	}
	return &ledger.Failure{Kind: kind, Text: fmt.Sprintf("transaction %s was ordered and found invalid, %s: %s", id, code, hint), Err: err}
}
