package fabric_test

import (
	"slices"
	"testing"

	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// An application connects to its organization's first peer, and submits again through the others of its own, never through
// another organization's.
func TestAccess(t *testing.T) {
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(2, 1, "org1", "org2")...)
	must(t, err)
	access, err := fabric.New(fabric.Options{}).Access(t.Context(), members[0].Plan, members[0].Keys)
	must(t, err)
	if access.Address != "peer0-org1.hanse-trade:7051" || !slices.Equal(access.Others, []string{"peer1-org1.hanse-trade:7051"}) {
		t.Errorf("it connects to %s, and otherwise to %v", access.Address, access.Others)
	}
	client, err := fabric.New(fabric.Options{}).Client(access)
	must(t, err)
	must(t, client.Close())
}
