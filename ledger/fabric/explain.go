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

	"github.com/hanse-io/hanse/ledger"
)

// withDetails adds the error details of the nodes behind a gateway peer to an error.
func withDetails(err error) error {
	var said []string
	for _, detail := range status.Convert(rootStatus(err)).Details() {
		if detail, ok := detail.(*gateway.ErrorDetail); ok && !strings.Contains(err.Error(), detail.GetMessage()) {
			said = append(said, fmt.Sprintf("%s (%s): %s", detail.GetAddress(), memberOfMSPID(detail.GetMspId()), detail.GetMessage()))
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

// isUnreachable is whether an error means that there was no answer, as opposed to an error response or a failed
// authentication.
func isUnreachable(err error) bool {
	var network *net.OpError
	if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch status.Code(rootStatus(err)) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return !strings.Contains(err.Error(), "authentication handshake failed") && !strings.Contains(err.Error(), errNoOrderer)
	default:
		return false
	}
}

// waitIfUnreachable converts the error of a call to one of the Member's own nodes to a Waiting if there was no answer.
func waitIfUnreachable(node string, err error) error {
	if err == nil || !isUnreachable(err) {
		return err
	}
	waiting := ledger.WaitingFor(node + " to answer")
	waiting.Cause = errors.New(rootCause(err))
	return waiting
}

// rootCause is the last part of a long error, such as "connection refused".
func rootCause(err error) string {
	text := strings.TrimRight(err.Error(), "\"\n ")
	if at := strings.LastIndex(text, ": "); at >= 0 {
		return text[at+2:]
	}
	return text
}
