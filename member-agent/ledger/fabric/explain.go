package fabric

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hanse-io/hanse/member-agent/ledger"
)

// explain adds what the nodes behind a gateway peer said to an error that does not say so itself.
func explain(err error) error {
	var said []string
	for _, detail := range status.Convert(rootStatus(err)).Details() {
		if detail, ok := detail.(*gateway.ErrorDetail); ok && !strings.Contains(err.Error(), detail.GetMessage()) {
			said = append(said, fmt.Sprintf("%s (%s): %s", detail.GetAddress(), usualMember(detail.GetMspId()), detail.GetMessage()))
		}
	}
	if len(said) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, strings.Join(said, "; "))
}

// rootStatus finds the gRPC status in a chain of errors.
func rootStatus(err error) error {
	var carrier interface{ GRPCStatus() *status.Status }
	if errors.As(err, &carrier) {
		return carrier.GRPCStatus().Err()
	}
	return err
}

// unreachable is whether an error says that nobody answered, as opposed to an answer that was no, or to one from
// somebody else than was called.
func unreachable(err error) bool {
	var network *net.OpError
	if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch status.Code(rootStatus(err)) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return !strings.Contains(err.Error(), "authentication handshake failed") && !strings.Contains(err.Error(), noOrderer)
	default:
		return false
	}
}

// answered is the error of a call to one of the Member's own nodes: where there was no answer, that it waits for one.
func answered(node string, err error) error {
	if err == nil || !unreachable(err) {
		return err
	}
	waiting := ledger.WaitingFor(node + " to answer")
	waiting.Cause = errors.New(essence(err))
	return waiting
}

// essence is the end of a long error: "connection refused".
func essence(err error) string {
	text := strings.TrimRight(err.Error(), "\"\n ")
	if at := strings.LastIndex(text, ": "); at >= 0 {
		return text[at+2:]
	}
	return text
}
