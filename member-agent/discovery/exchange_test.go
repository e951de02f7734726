package discovery

import (
	"errors"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// firstBlock is an organization's statement of a channel's first block.
func firstBlock(t *testing.T, o *organization, sequence int64) v1alpha1.StatementSpec {
	t.Helper()
	packed, err := statement.Compress([]byte("block"))
	if err != nil {
		t.Fatal(err)
	}
	s := statement.NewGenesis(trade, o.name, "goods", packed)
	s.Sequence = sequence
	signed, err := o.signAny(s)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestFirstBlocksComeWhenAskedFor has rows for who keeps a statement that org1 asks the group for.
func TestFirstBlocksComeWhenAskedFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		keeper string
		cut    bool // whether org1 and org2 have no line to each other
	}{
		{"its own member", "org2", false},
		{"another one, while there is no line to its own", "org3", true},
	} {
		t.Run(row.why, func(t *testing.T) {
			f := newTestbed(t, 3)
			if row.cut {
				f.disconnect("org1", "org2", true)
			}
			f.startAll()
			a := f.agents["org1"]
			f.eventually("in contact with who keeps it", func() bool { return a.online(row.keeper) })
			block := firstBlock(t, f.orgs[1], 1)
			key := statement.KeyOf(&block)
			f.agents[row.keeper].kept.Store(key, block)
			f.eventually("it has come", func() bool {
				a.Request(trade, key)
				_, ok := a.received.Load(key)
				return ok
			})
			if _, ok := f.agents["org3"].received.Load(key); ok {
				t.Error("somebody has it who has not asked for it")
			}
		})
	}
}

// TestFirstBlocksThatWereAskedForAreVerified: that one was asked for makes no other true.
func TestFirstBlocksThatWereAskedForAreVerified(t *testing.T) {
	f := newTestbed(t, 2)
	a := f.start(f.orgs[0], f.group(trade))
	block := firstBlock(t, f.orgs[1], 1)
	key := statement.KeyOf(&block)
	if err := a.Offer(trade, block); !errors.Is(err, errUnwanted) {
		t.Errorf("one that was not asked for: %v", err)
	}
	a.Request(trade, key)
	forged := firstBlock(t, newOrganization(t, "org2"), 1)
	if err := a.Offer(trade, forged); !errors.Is(err, statement.ErrUntrusted) {
		t.Errorf("one of an impostor: %v", err)
	}
	if _, ok := a.received.Load(key); ok {
		t.Fatal("the impostor's was handed on")
	}
	if err := a.Offer(trade, block); err != nil {
		t.Error(err)
	}
	if _, ok := a.received.Load(key); !ok {
		t.Error("the good one was not handed on")
	}
	if err := a.Offer(trade, block); !errors.Is(err, errUnwanted) {
		t.Errorf("once more: %v", err)
	}
}

// TestHoldingsArePartOfTheRecord: two statements, each of which comes and changes by itself, are one record to whoever reads.
func TestHoldingsArePartOfTheRecord(t *testing.T) {
	f := newTestbed(t, 2)
	f.startAll()
	f.eventually("complete", f.complete)
	holdings, err := statement.NewHoldings(trade, "org1", []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: statement.Digest(&v1alpha1.StatementSpec{})}})
	if err != nil {
		t.Fatal(err)
	}
	holdings.Sequence = 5
	signed, err := f.orgs[0].signAny(holdings)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.agents["org1"].Publish(trade, signed); err != nil {
		t.Fatal(err)
	}
	f.eventually("org2 sees both", func() bool {
		record := f.agents["org2"].View(trade).Records()["org1"]
		return record.Sequence == 1 && record.HoldingsSequence == 5 && len(record.Channels) == 1
	})
	if err := f.agents["org1"].Publish(trade, f.orgs[0].record(t, trade, 9)); err != nil {
		t.Fatal(err)
	}
	f.eventually("a new record keeps them", func() bool {
		record := f.agents["org2"].View(trade).Records()["org1"]
		return record.Sequence == 9 && record.HoldingsSequence == 5 && len(record.Channels) == 1
	})
}

// TestMissing has a row for each entry of an inventory that is to be asked for, or not.
func TestMissing(t *testing.T) {
	f := newTestbed(t, 2)
	a := f.start(f.orgs[0], Group{Consortium: trade, Members: []Peer{f.orgs[0].peer(), f.orgs[1].peer(), {Name: "org3"}}})
	known := f.orgs[1].record(t, trade, 5)
	if err := a.Offer(trade, known); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why   string
		entry entry
		want  bool
	}{
		{"what is known", entry{"org2", v1alpha1.StatementRecord, 5, statement.Digest(&known)}, false},
		{"an older one", entry{"org2", v1alpha1.StatementRecord, 4, "x"}, false},
		{"a newer one", entry{"org2", v1alpha1.StatementRecord, 6, "x"}, true},
		{"another one of the same sequence, of which all choose the same", entry{"org2", v1alpha1.StatementRecord, 5, "x"}, true},
		{"another kind", entry{"org2", v1alpha1.StatementHoldings, 1, "x"}, true},
		{"the own one, which an agent that has lost everything learns so", entry{"org1", v1alpha1.StatementRecord, 1, "x"}, true},
		{"a first block, which only who needs it asks for", entry{"org2", v1alpha1.StatementGenesis, 9, "x"}, false},
		{"a member whose root is not known yet", entry{"org3", v1alpha1.StatementRecord, 1, "x"}, false},
		{"no member", entry{"org9", v1alpha1.StatementRecord, 1, "x"}, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if got := a.group(trade).missing([]entry{row.entry}); (len(got) == 1) != row.want {
				t.Errorf("asked for: %v", got)
			}
		})
	}
}
