// Command notary serves the notary contract to a peer, as a chaincode service. Its
// settings are the environment variables of package ccaas.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hanse-io/hanse/contracts/ccaas"
	"github.com/hanse-io/hanse/contracts/notary"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := ccaas.Run(ctx, os.Getenv, os.Stderr, notary.New()); err != nil {
		fmt.Fprintln(os.Stderr, "notary:", err)
		os.Exit(1)
	}
}
