package fabric_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
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
	if _, err := session.CheckGenesis(goods, block); err != nil {
		t.Error(err)
	}
}

func FuzzCheckGenesis(f *testing.F) {
	session, sound := seed(f)
	f.Add(sound)
	f.Add(sound[:len(sound)/2])
	f.Add(bytes.Repeat([]byte{0x0a, 0x7f}, 64))
	f.Fuzz(func(t *testing.T, data []byte) {
		hash, err := session.CheckGenesis(goods, data)
		var waiting *ledger.Waiting
		if err != nil {
			if !errors.Is(err, ledger.ErrGenesisRefused) && !errors.As(err, &waiting) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		// Only time, nonce and transaction ID are free in a block that passes, its hash holds, and so do its rules.
		if err := session.CheckChannel(t.Context(), goods, firstBlock(hash, data)); err != nil {
			t.Errorf("accepted a block that does not hold what it was accepted for: %v", err)
		}
	})
}

// FuzzRules reads the rules out of what is no block, or not the one that it is said to be.
func FuzzRules(f *testing.F) {
	_, sound := seed(f)
	sum := sha256.Sum256(sound)
	f.Add(sound, hex.EncodeToString(sum[:]))
	f.Add(sound[:len(sound)/2], "")
	members := threeMembers(f)
	records := fabrictest.Records(members)
	f.Fuzz(func(t *testing.T, data []byte, hash string) {
		// A session of its own: what has been read once is remembered by its hash.
		_ = sessionOf(t, members[0], records).CheckChannel(t.Context(), goods, firstBlock(hash, data))
	})
}

func firstBlock(hash string, block []byte) ledger.FirstBlock {
	return ledger.FirstBlock{Hash: hash, Block: func(context.Context) ([]byte, error) { return block, nil }}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
