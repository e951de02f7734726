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
)

// FailureKind is the class of a transaction's failure, by which callers decide what to do next.
type FailureKind int

// Kinds of failures.
const (
	// FailedOtherwise: none of the below.
	FailedOtherwise FailureKind = iota
	// FailedByContract: the contract itself answered with an error.
	FailedByContract
	// FailedToBeEndorsed: not enough organizations have endorsed it for the contract's policy. Nothing was written.
	FailedToBeEndorsed
	// FailedToCommit: it was ordered, and found invalid, because another transaction came first, say. Nothing was written.
	FailedToCommit
	// FailedToReach: a node that it takes did not answer in time. What had been sent already may still be committed.
	FailedToReach
)

// Failure is why a transaction or a query failed.
type Failure struct {
	Kind FailureKind
	text string
	err  error
}

func (f *Failure) Error() string { return f.text }

// Unwrap is the error that came from the library.
func (f *Failure) Unwrap() error { return f.err }

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
		return &Failure{FailedByContract, fmt.Sprintf("the contract refused: %s (status %s)", text, code), err}
	}
	err = withDetails(err)
	var unknown *gateway.CommitStatusError
	if errors.As(err, &unknown) {
		return &Failure{FailedToReach, fmt.Sprintf("transaction %s was handed to the orderers, and no peer has said in time what became of it: look on the ledger before you send it again (%v)", unknown.TransactionID, err), err}
	}
	code := status.Code(rootStatus(err))
	if errors.Is(err, context.DeadlineExceeded) {
		code = codes.DeadlineExceeded
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return &Failure{FailedToReach, fmt.Sprintf("a required node did not answer in time: %v", err), err}
	case codes.Aborted, codes.FailedPrecondition:
		return &Failure{FailedToBeEndorsed, fmt.Sprintf("not enough organizations endorsed it for the contract's policy; nothing was written: %v", err), err}
	default:
		return &Failure{FailedOtherwise, err.Error(), err}
	}
}

// invalidated is the failure of a transaction that a block holds and that has no effect.
func invalidated(id string, code peer.TxValidationCode, err error) error {
	hint := "nothing was written"
	kind := FailedToCommit
	switch code {
	case peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT:
		hint = "another transaction changed the same in between; nothing was written: try again"
	case peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE:
		kind, hint = FailedToBeEndorsed, "its endorsements do not meet the contract's policy; nothing was written"
	}
	return &Failure{kind, fmt.Sprintf("transaction %s was ordered and found invalid, %s: %s", id, code, hint), err}
}
