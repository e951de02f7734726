package fabric

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// explain adds what the nodes behind a gateway peer said to an error that does not say so itself.
func explain(err error) error {
	var said []string
	for _, detail := range status.Convert(rootStatus(err)).Details() {
		if detail, ok := detail.(*gateway.ErrorDetail); ok && !strings.Contains(err.Error(), detail.GetMessage()) {
			said = append(said, fmt.Sprintf("%s (%s): %s", detail.GetAddress(), memberOfMSP(detail.GetMspId()), detail.GetMessage()))
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

// unreachable is whether an error says that nobody answered, as opposed to an answer that was no.
func unreachable(err error) bool {
	switch status.Code(rootStatus(err)) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return true
	default:
		return false
	}
}
