package governance

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var writeVectors = flag.Bool("vectors", false, "write testdata/trade.jsonl anew, with new keys; the digests in TestVectors then change")

const vectors = "testdata/trade.jsonl"

// TestVectors audits the log that docs/governance.md gives to other verifiers.
func TestVectors(t *testing.T) {
	if *writeVectors {
		var file bytes.Buffer
		c := newConsortium(t, Rules{AnyOther: {Approvals: Majority}, KindRemoveMember: {Approvals: All}}, "org1", "org2", "org3")
		archive, err := NewArchive(&file, c.trust, c.founded)
		if err != nil {
			t.Fatal(err)
		}
		org4 := c.add(t, "org4").member(t)
		for _, entry := range []struct {
			change  Change
			members []string
		}{
			{settlement("org1", "org2", "org3"), []string{"org1", "org2"}},
			{Change{AddMember: &org4}, []string{"org2", "org3", "org4"}},
			{Change{RemoveMember: "org3"}, []string{"org1", "org2", "org4"}},
		} {
			e := c.entry(t, entry.change, entry.members...)
			c.accept(t, e)
			if err := archive.Append(e, c.trust); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(vectors, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("charter %s, head %s", c.state.Charter, c.state.Head)
	}
	given, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	state, err := Audit(bytes.NewReader(given), vectorsCharter, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if state.Position != 3 || state.Head != vectorsHead {
		t.Errorf("position %d, head %s", state.Position, state.Head)
	}
}

const (
	vectorsCharter = "98bf84fd8a1f16e382a628709d5c2c04f05b99831aa2363cc730dda95292617b"
	vectorsHead    = "ed3cfc4052ba11595de2dd614870d782bfc55c388a265b180f1c7df35b7b0161"
)
