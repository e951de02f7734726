package notary_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/contracts/ledgertest"
	"github.com/hanse-io/hanse/contracts/notary"
	"github.com/hanse-io/hanse/contracts/refusal"
)

var (
	one   = strings.Repeat("11", 32)
	two   = strings.Repeat("22", 32)
	three = strings.Repeat("33", 32)
)

func TestPutAppendsVersionsAndKeepsThem(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	alice, bob := ledgertest.NewClient(t, "org1MSP", "alice"), ledgertest.NewClient(t, "org1MSP", "bob")
	first := ledgertest.Submit[notary.Record](t, l, alice, "Put", "invoice/1", strings.ToUpper(one), "sha256", `{"kind":"invoice"}`)
	second := ledgertest.Submit[notary.Record](t, l, bob, "Put", "invoice/1", two, "sha3-256", "")

	if first.Version != 1 || first.Digest != one || first.By.TxID != "tx1" || first.By.Time != "2026-01-02T03:04:05Z" {
		t.Errorf("the first version is %+v", first)
	}
	if second.Version != 2 || second.Owner != "org1MSP" || second.By.Client == first.By.Client {
		t.Errorf("a colleague's version is %+v", second)
	}
	if got := ledgertest.Evaluate[notary.Record](t, l, bob, "Get", "invoice/1"); got != second {
		t.Errorf("Get gives %+v, want the newest", got)
	}
	if got := ledgertest.Evaluate[notary.Record](t, l, bob, "GetVersion", "invoice/1", "1"); got != first {
		t.Errorf("version 1 has become %+v", got)
	}
	history := ledgertest.Evaluate[notary.Versions](t, l, bob, "History", "invoice/1", "1")
	if len(history.Records) != 2 || history.Records[0] != first || history.Records[1] != second || history.Next != 0 {
		t.Errorf("the history is %+v", history)
	}
}

func TestPutIsRefused(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	org1, org2 := ledgertest.NewClient(t, "org1MSP", "alice"), ledgertest.NewClient(t, "org2MSP", "alice")
	nobody := ledgertest.Raw(t, "org1MSP", []byte("no certificate"))
	ledgertest.Submit[notary.Record](t, l, org1, "Put", "taken", one, "sha256", "")
	for _, row := range []struct {
		why    string
		client ledgertest.Client
		args   []string
		code   refusal.Code
		hint   string
	}{
		{"another organization, though its client has the same name", org2, []string{"taken", two, "sha256", ""}, refusal.Denied, "org1MSP"},
		{"another organization with the very same digest", org2, []string{"taken", one, "sha256", ""}, refusal.Denied, "another id"},
		{"an id with a space", org1, []string{"a b", one, "sha256", ""}, refusal.Invalid, "0x20"},
		{"a truncated digest", org1, []string{"a", one[2:], "sha256", ""}, refusal.Invalid, "64"},
		{"a digest that is too weak to notarize", org1, []string{"a", one[:40], "sha1", ""}, refusal.Invalid, "sha3-256"},
		{"metadata above the limit", org1, []string{"a", one, "sha256", strings.Repeat("x", notary.MaxMetadata+1)}, refusal.Invalid, "4096"},
		{"metadata that JSON would change", org1, []string{"a", one, "sha256", "\xff"}, refusal.Invalid, "UTF-8"},
		{"an identity that is no certificate", nobody, []string{"a", one, "sha256", ""}, refusal.Denied, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			tx := l.Simulate(row.client, "Put", row.args...)
			err := tx.Err()
			if err == nil || !strings.HasPrefix(err.Error(), string(row.code)+": ") || !strings.Contains(err.Error(), row.hint) {
				t.Errorf("got %v, want %s with %q", err, row.code, row.hint)
			}
			if len(tx.Writes) != 0 {
				t.Errorf("a refused call wrote %d keys", len(tx.Writes))
			}
		})
	}
	if got := ledgertest.Evaluate[notary.Record](t, l, org2, "Get", "taken"); got.Digest != one || got.Version != 1 {
		t.Errorf("the refused calls left %+v", got)
	}
}

func TestConcurrentPutsOfOneID(t *testing.T) {
	for _, row := range []struct {
		why  string
		seed bool
		msps [2]string
	}{
		{"two organizations claim a free id: one of them gets it", false, [2]string{"org1MSP", "org2MSP"}},
		{"two colleagues append: no version is lost or numbered twice", true, [2]string{"org1MSP", "org1MSP"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			l := ledgertest.MustNew(t, notary.New())
			a, b := ledgertest.NewClient(t, row.msps[0], "a"), ledgertest.NewClient(t, row.msps[1], "b")
			if row.seed {
				ledgertest.Submit[notary.Record](t, l, a, "Put", "x", one, "sha256", "")
			}
			txA, txB := l.Simulate(a, "Put", "x", two, "sha256", ""), l.Simulate(b, "Put", "x", three, "sha256", "")
			if err := l.Commit(txA); err != nil {
				t.Fatal(err)
			}
			if err := l.Commit(txB); !errors.Is(err, ledgertest.ErrConflict) {
				t.Errorf("the second commit gave %v", err)
			}
			if got := ledgertest.Evaluate[notary.Record](t, l, b, "Get", "x"); got.Digest != two || got.Owner != row.msps[0] {
				t.Errorf("the state is %+v", got)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	c := ledgertest.NewClient(t, "org1MSP", "alice")
	for _, digest := range []string{one, two, one, two} {
		ledgertest.Submit[notary.Record](t, l, c, "Put", "x", digest, "sha256", "")
	}
	ledgertest.Submit[notary.Record](t, l, c, "Put", "y", three, "sha256", "")
	for _, row := range []struct {
		why, digest       string
		verified, current bool
		version           int
	}{
		{"the newest digest is current", two, true, true, 4},
		{"case does not matter", strings.ToUpper(two), true, true, 4},
		{"an older digest is on record, in its newest version, but not current", one, true, false, 3},
		{"another id's digest is not this id's", three, false, false, 0},
		{"a digest of another length is simply not there", one + one, false, false, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := ledgertest.Evaluate[notary.Verification](t, l, c, "Verify", "x", row.digest)
			version := 0
			if got.Record != nil {
				version = got.Record.Version
			}
			if got.Verified != row.verified || got.Current != row.current || version != row.version || got.NewestVersion != 4 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestQueriesAreRefused(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	c := ledgertest.NewClient(t, "org1MSP", "alice")
	ledgertest.Submit[notary.Record](t, l, c, "Put", "x", one, "sha256", "")
	for _, row := range []struct {
		why, function string
		args          []string
		want          string
	}{
		{"nothing is there", "Get", []string{"y"}, "NOT_FOUND: "},
		{"a missing id is told apart from a digest that does not match", "Verify", []string{"y", one}, "NOT_FOUND: "},
		{"no id at all", "Get", []string{""}, "INVALID_ARGUMENT: "},
		{"no digest", "Verify", []string{"x", "abc"}, "INVALID_ARGUMENT: "},
		{"versions count from 1", "GetVersion", []string{"x", "0"}, "NOT_FOUND: "},
		{"a version yet to come", "GetVersion", []string{"x", "2"}, "NOT_FOUND: "},
		{"history before the first version", "History", []string{"x", "0"}, "INVALID_ARGUMENT: "},
		{"history behind the last version", "History", []string{"x", "2"}, "INVALID_ARGUMENT: "},
		{"a page beyond the limit", "List", []string{"", "", "101"}, "INVALID_ARGUMENT: "},
		{"a negative page", "List", []string{"", "", "-1"}, "INVALID_ARGUMENT: "},
		{"a bookmark into other state than records", "List", []string{"", "\x00version", "1"}, "INVALID_ARGUMENT: "},
		{"a bookmark of another prefix", "List", []string{"x", "record:a", "1"}, "INVALID_ARGUMENT: "},
		{"a prefix that no id can have", "List", []string{"a b", "", "1"}, "INVALID_ARGUMENT: "},
	} {
		t.Run(row.why, func(t *testing.T) {
			if _, err := l.Evaluate(c, row.function, row.args...); err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

func TestListPagesThroughAPrefix(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	c := ledgertest.NewClient(t, "org1MSP", "alice")
	for _, id := range []string{"b/2", "a/1", "b/1", "b/3", "b", "c", "b/1"} {
		ledgertest.Submit[notary.Record](t, l, c, "Put", id, one, "sha256", "")
	}
	var got []string
	bookmark := ""
	for {
		page := ledgertest.Evaluate[notary.Page](t, l, c, "List", "b/", bookmark, "2")
		for _, record := range page.Records {
			got = append(got, fmt.Sprintf("%s@%d", record.ID, record.Version))
		}
		if bookmark = page.Bookmark; bookmark == "" {
			break
		}
	}
	if want := "b/1@2 b/2@1 b/3@1"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if all := ledgertest.Evaluate[notary.Page](t, l, c, "List", "", "", "0"); len(all.Records) != 6 {
		t.Errorf("the empty prefix lists %d ids, want 6", len(all.Records))
	}
	if none := ledgertest.Evaluate[notary.Page](t, l, c, "List", "zzz", "", "10"); none.Records == nil || len(none.Records) != 0 {
		t.Errorf("no match gives %+v, want an empty list", none)
	}
}

func TestHistoryPages(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	c := ledgertest.NewClient(t, "org1MSP", "alice")
	for range notary.HistoryPage + 1 {
		ledgertest.Submit[notary.Record](t, l, c, "Put", "x", one, "sha256", "")
	}
	page := ledgertest.Evaluate[notary.Versions](t, l, c, "History", "x", "1")
	if len(page.Records) != notary.HistoryPage || page.Next != notary.HistoryPage+1 {
		t.Fatalf("the first page has %d records and goes on at %d", len(page.Records), page.Next)
	}
	page = ledgertest.Evaluate[notary.Versions](t, l, c, "History", "x", fmt.Sprint(page.Next))
	if len(page.Records) != 1 || page.Next != 0 {
		t.Errorf("the second page has %d records and goes on at %d", len(page.Records), page.Next)
	}
}

func TestPutTellsListenersWithoutTheMetadata(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	tx := l.Simulate(ledgertest.NewClient(t, "org1MSP", "alice"), "Put", "x", one, "sha256", "long text")
	event := ledgertest.Parse[notary.Record](t, string(tx.Event), tx.Err())
	if tx.EventName != notary.EventPut || event.ID != "x" || event.Version != 1 || event.Metadata != "" {
		t.Errorf("got %s %+v", tx.EventName, event)
	}
}

func TestEndorsersAgree(t *testing.T) {
	l := ledgertest.MustNew(t, notary.New())
	c := ledgertest.NewClient(t, "org1MSP", "alice")
	ledgertest.Submit[notary.Record](t, l, c, "Put", "x", one, "sha256", "")
	first := l.Simulate(c, "Put", "x", two, "sha256", `{"a":1}`)
	again := first.Again()
	if string(first.Response.Payload) != string(again.Response.Payload) || fmt.Sprint(first.Writes) != fmt.Sprint(again.Writes) {
		t.Error("two endorsers of one proposal differ")
	}
}
