//go:build fabric

package fabric_test

import (
	"context"
	"testing"
	"time"

	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

func TestZZ(t *testing.T) {
	for range 3 {
		zz(t)
	}
}

func zz(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	declare(members, "goods", "org1", "org2", "org3")
	network, err := fabrictest.NewNetwork(options(t), members)
	must(t, err)
	watch := stopwatch(t)
	defer func() { must(t, network.Close()) }()
	must(t, network.Start(ctx))
	watch("ZZ 6 nodes and 3 contracts healthy")
	agents := agentsOf(network)
	agents.waitForReady(t, ctx)
	watch("ZZ ready")
	transact(t, ctx, network, "goods", members[0], members[2], "bill-1")
	watch("ZZ first")
}
