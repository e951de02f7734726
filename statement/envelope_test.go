package statement

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// TestDigest has a row for each change that has to be another statement, and for those that must not be.
func TestDigest(t *testing.T) {
	base := v1alpha1.StatementSpec{Consortium: "trade", Kind: v1alpha1.StatementGenesis, Subject: "goods", Member: "org1", Sequence: 7, Payload: []byte("block")}
	for _, row := range []struct {
		why  string
		edit func(*v1alpha1.StatementSpec)
		same bool
	}{
		{"another consortium", func(s *v1alpha1.StatementSpec) { s.Consortium = "fish" }, false},
		{"another kind", func(s *v1alpha1.StatementSpec) { s.Kind = v1alpha1.StatementRecord }, false},
		{"another subject", func(s *v1alpha1.StatementSpec) { s.Subject = "deals" }, false},
		{"another member", func(s *v1alpha1.StatementSpec) { s.Member = "org2" }, false},
		{"another sequence", func(s *v1alpha1.StatementSpec) { s.Sequence = 8 }, false},
		{"another payload", func(s *v1alpha1.StatementSpec) { s.Payload = []byte("Block") }, false},
		{"a letter moved from one field to the next", func(s *v1alpha1.StatementSpec) { s.Subject, s.Member = "goodso", "rg1" }, false},
		{"another signature, which anybody can make of a valid one", func(s *v1alpha1.StatementSpec) { s.Signature = []byte("s") }, true},
		{"a renewed certificate", func(s *v1alpha1.StatementSpec) { s.Certificates = "c" }, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			changed := *base.DeepCopy()
			row.edit(&changed)
			if same := Digest(&changed) == Digest(&base); same != row.same {
				t.Errorf("the same digest: %t", same)
			}
			if Equal(&changed, &base) {
				t.Error("equal to what it was before the change")
			}
		})
	}
}

// TestDigestIsStable fails if the canonical encoding changes: statements that others have stored would be another's.
func TestDigestIsStable(t *testing.T) {
	s := v1alpha1.StatementSpec{Consortium: "trade", Kind: v1alpha1.StatementGenesis, Subject: "goods", Member: "org1", Sequence: 7, Payload: []byte("block")}
	want := "hanse-statement-v1\n\x00\x00\x00\x05trade\x00\x00\x00\x07Genesis\x00\x00\x00\x05goods\x00\x00\x00\x04org1" +
		"\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x05block"
	if got := string(encode(&s)); got != want {
		t.Errorf("encoded as %q", got)
	}
}

func TestCompress(t *testing.T) {
	block := bytes.Repeat([]byte("block "), 1000)
	packed, err := Compress(block)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Compress(block); !bytes.Equal(packed, again) {
		t.Error("the same block gives other bytes")
	}
	if got, err := Decompress(packed); err != nil || !bytes.Equal(got, block) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	huge, err := Compress(make([]byte, maxBlock+1))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := Compress(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why    string
		packed []byte
		want   error
	}{
		{"no gzip", []byte("block"), ErrMalformed},
		{"cut short", packed[:len(packed)-9], ErrMalformed},
		{"nothing in it", empty, ErrMalformed},
		{"small, and large once it is decompressed", huge, ErrTooLarge},
		{"large", make([]byte, v1alpha1.MaxGenesisBytes+1), ErrTooLarge},
	} {
		t.Run(row.why, func(t *testing.T) {
			if _, err := Decompress(row.packed); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

func TestSurplus(t *testing.T) {
	record := Key{Member: "org1", Kind: v1alpha1.StatementRecord}
	at := func(key Key, sequence int64) Stored {
		return Stored{Key: key, Sequence: sequence, Name: strings.Repeat("x", int(sequence))}
	}
	goods, deals := Key{"org1", v1alpha1.StatementGenesis, "goods"}, Key{"org1", v1alpha1.StatementGenesis, "deals"}
	for _, row := range []struct {
		why          string
		stored, want []Stored
	}{
		{"nothing", nil, nil},
		{"the valid one, and the one before, which plans may refer to", []Stored{at(record, 1), at(record, 2)}, nil},
		{"older ones, in whatever order", []Stored{at(record, 1), at(record, 4), at(record, 2), at(record, 3)}, []Stored{at(record, 1), at(record, 2)}},
		{"first blocks of two channels do not replace each other", []Stored{at(goods, 1), at(deals, 2), at(goods, 3), at(deals, 4)}, nil},
		{"nor do those of two members", []Stored{at(record, 1), at(record, 2), at(Key{Member: "org2", Kind: v1alpha1.StatementRecord}, 3)}, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			less := cmpopts.SortSlices(func(a, b Stored) bool { return a.Sequence < b.Sequence })
			if d := cmp.Diff(row.want, Surplus(row.stored), less); d != "" {
				t.Error(d)
			}
		})
	}
}
