package fabric_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric/fabrictest"
)

var update = flag.Bool("update", false, "make the records and the first block in testdata anew")

const recordsFile, genesisFile = "testdata/records.json", "testdata/genesis.block"

// seed is the session of a member with records that stay the same from run to run, and a first block that goes with
// them: a fuzzer learns nothing from inputs that mean something else each time.
func seed(t testing.TB) (ledger.Session, []byte) {
	t.Helper()
	members := threeMembers(t)
	records := map[string]v1alpha1.Record{}
	raw, err := os.ReadFile(recordsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	block, err := os.ReadFile(genesisFile)
	if err != nil {
		t.Fatal(err)
	}
	return sessionOf(t, members[0], records), block
}

// TestSeed checks the block in testdata: one that an earlier release of the agent made has to be accepted for ever.
func TestSeed(t *testing.T) {
	if *update {
		members := threeMembers(t)
		records := fabrictest.Records(members)
		block, err := sessionOf(t, members[0], records).Genesis(goods)
		must(t, err)
		raw, err := json.MarshalIndent(records, "", "  ")
		must(t, err)
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(recordsFile, raw, 0o644))
		must(t, os.WriteFile(genesisFile, block, 0o644))
	}
	session, block := seed(t)
	channel := goods
	channel.Genesis = block
	if _, err := session.CheckGenesis(channel); err != nil {
		t.Error(err)
	}
}

func FuzzCheckGenesis(f *testing.F) {
	session, sound := seed(f)
	f.Add(sound)
	f.Add(sound[:len(sound)/2])
	f.Add(bytes.Repeat([]byte{0x0a, 0x7f}, 64))
	f.Fuzz(func(t *testing.T, data []byte) {
		channel := goods
		channel.Genesis = data
		hash, err := session.CheckGenesis(channel)
		var waiting *ledger.Waiting
		if err != nil {
			if !errors.Is(err, ledger.ErrGenesisRefused) && !errors.As(err, &waiting) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		// Only time, nonce and transaction ID are free in a block that passes, and its hash holds.
		if other, err := session.GenesisHash(channel); err != nil || other != hash {
			t.Errorf("accepted a block whose own hash does not hold: %v", err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
