package ccaas

import (
	"context"
	"fmt"
	"io"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
)

// Run loads the configuration, wraps the contract and serves it until the context ends.
func Run(ctx context.Context, getenv func(string) string, log io.Writer, contract contractapi.ContractInterface) error {
	config, err := Load(getenv)
	if err != nil {
		return err
	}
	chaincode, err := contractapi.NewChaincode(contract)
	if err != nil {
		return fmt.Errorf("the contract cannot be served: %w", err)
	}
	listener, err := Listen(ctx, config)
	if err != nil {
		return err
	}
	info, mode := contract.GetInfo(), "TLS"
	if config.TLS == nil {
		mode = "plain TCP"
	}
	_, _ = fmt.Fprintf(log, "serving contract %s %s as %s on %s (%s)\n", info.Title, info.Version, config.ID, listener.Addr(), mode)
	return Serve(ctx, config, listener, chaincode)
}
