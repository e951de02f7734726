// Command vault is a contract for tests: it keeps values in collections of private data, and says who runs it. It is written
// with the low-level shim, as contracts are that people bring, and ships with nothing.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/hanse-io/hanse/contracts/ccaas"
)

// edition tells two programs apart that are otherwise the same; set with -ldflags -X main.edition=….
var edition = "first"

type vault struct{}

func (vault) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke takes Put COLLECTION KEY, with the value in the transient map, which no block holds; Get COLLECTION KEY; Edition.
func (vault) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	function, arguments := stub.GetFunctionAndParameters()
	switch {
	case function == "Edition":
		return shim.Success([]byte(edition))
	case function == "Put" && len(arguments) == 2:
		secrets, err := stub.GetTransient()
		if err != nil {
			return shim.Error(err.Error())
		}
		if err := stub.PutPrivateData(arguments[0], arguments[1], secrets["value"]); err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success(nil)
	case function == "Get" && len(arguments) == 2:
		value, err := stub.GetPrivateData(arguments[0], arguments[1])
		if err != nil {
			return shim.Error(err.Error())
		}
		if value == nil {
			return shim.Error(fmt.Sprintf("there is no %s in %s", arguments[1], arguments[0]))
		}
		return shim.Success(value)
	}
	return shim.Error("use Put COLLECTION KEY, Get COLLECTION KEY or Edition")
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	config, err := ccaas.Load(os.Getenv)
	if err != nil {
		return err
	}
	listener, err := ccaas.Listen(ctx, config)
	if err != nil {
		return err
	}
	return ccaas.Serve(ctx, config, listener, vault{})
}
