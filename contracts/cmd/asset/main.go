// Command asset serves the asset contract to a peer, as a chaincode service. Its
// settings are the environment variables of package ccaas.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hanse-io/hanse/contracts/asset"
	"github.com/hanse-io/hanse/contracts/ccaas"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := ccaas.Run(ctx, os.Getenv, os.Stderr, asset.New()); err != nil {
		fmt.Fprintln(os.Stderr, "asset:", err)
		os.Exit(1)
	}
}
