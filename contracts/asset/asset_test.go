package asset_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/contracts/asset"
	"github.com/hanse-io/hanse/contracts/ledgertest"
	"github.com/hanse-io/hanse/contracts/refusal"
)

const largest = "18446744073709551615"

// bank is a ledger with one type of one issuer and an account for each of three clients.
type bank struct {
	*ledgertest.Ledger
	issuer, alice, bob ledgertest.Client
}

func newBank(t *testing.T) bank {
	t.Helper()
	b := bank{
		Ledger: ledgertest.MustNew(t, asset.New()),
		issuer: ledgertest.NewClient(t, "bankMSP", "teller"),
		alice:  ledgertest.NewClient(t, "org1MSP", "alice"),
		bob:    ledgertest.NewClient(t, "org2MSP", "bob"),
	}
	ledgertest.Submit[asset.Type](t, b.Ledger, b.issuer, "CreateType", "eur", "EUR cent")
	ledgertest.Submit[asset.Account](t, b.Ledger, b.issuer, "OpenAccount", "vault")
	ledgertest.Submit[asset.Account](t, b.Ledger, b.alice, "OpenAccount", "alice")
	ledgertest.Submit[asset.Account](t, b.Ledger, b.bob, "OpenAccount", "bob")
	return b
}

func (b bank) issue(t *testing.T, to, amount string) {
	t.Helper()
	ledgertest.Submit[asset.Movement](t, b.Ledger, b.issuer, "Issue", "eur", to, amount)
}

func (b bank) holds(t *testing.T, account, want string) {
	t.Helper()
	if got := ledgertest.Evaluate[asset.Balance](t, b.Ledger, b.bob, "Balance", account, "eur"); got.Amount != want {
		t.Errorf("%s holds %s, want %s", account, got.Amount, want)
	}
}

func TestIssueTransferAndHistory(t *testing.T) {
	b := newBank(t)
	b.issue(t, "alice", "100")
	moved := ledgertest.Submit[asset.Movement](t, b.Ledger, b.alice, "Transfer", "eur", "alice", "bob", "30")
	if moved.From != "alice" || moved.To != "bob" || moved.Amount != "30" || moved.By.MSP != "org1MSP" {
		t.Errorf("the transfer answers %+v", moved)
	}
	b.holds(t, "alice", "70")
	b.holds(t, "bob", "30")
	b.holds(t, "vault", "0")
	if got := ledgertest.Evaluate[asset.Type](t, b.Ledger, b.bob, "GetType", "eur"); got.Supply != "100" || got.Issuer != "bankMSP" {
		t.Errorf("the type is %+v", got)
	}
	history := ledgertest.Evaluate[asset.Entries](t, b.Ledger, b.bob, "History", "alice", "eur", "1")
	var lines []string
	for _, e := range history.Entries {
		lines = append(lines, fmt.Sprintf("%d %s %s %q %s %s", e.Number, e.Kind, e.Amount, e.Counterparty, e.Balance, e.By.MSP))
	}
	want := `1 issue 100 "" 100 bankMSP; 2 out 30 "bob" 70 org1MSP`
	if got := strings.Join(lines, "; "); got != want || history.Next != 0 {
		t.Errorf("the history is\n%s, want\n%s", got, want)
	}
}

func TestMovementsAreRefused(t *testing.T) {
	b := newBank(t)
	colleague := ledgertest.NewClient(t, "org1MSP", "albert")
	namesake := ledgertest.NewClient(t, "org2MSP", "alice")
	b.issue(t, "alice", "100")
	for _, row := range []struct {
		why    string
		client ledgertest.Client
		call   string
		code   refusal.Code
	}{
		{"only the issuer makes money", b.alice, "Issue eur alice 1", refusal.Denied},
		{"a outsider cannot take", b.bob, "Transfer eur alice bob 1", refusal.Denied},
		{"a colleague of the owner cannot take", colleague, "Transfer eur alice bob 1", refusal.Denied},
		{"the same name in another organization is somebody else", namesake, "Transfer eur alice bob 1", refusal.Denied},
		{"the issuer cannot take back", b.issuer, "Transfer eur alice vault 1", refusal.Denied},
		{"more than there is", b.alice, "Transfer eur alice bob 101", refusal.Insufficient},
		{"an empty account", b.bob, "Transfer eur bob alice 1", refusal.Insufficient},
		{"a transfer to itself would read the balance twice", b.alice, "Transfer eur alice alice 1", refusal.Invalid},
		{"zero moves nothing", b.alice, "Transfer eur alice bob 0", refusal.Invalid},
		{"zero issues nothing", b.issuer, "Issue eur alice 0", refusal.Invalid},
		{"a negative transfer is a theft", b.alice, "Transfer eur alice bob -1", refusal.Invalid},
		{"a fraction", b.alice, "Transfer eur alice bob 0.5", refusal.Invalid},
		{"the supply does not wrap", b.issuer, "Issue eur bob " + largest, refusal.Overflow},
		{"money does not go into an account that nobody owns", b.alice, "Transfer eur alice nobody 1", refusal.NotFound},
		{"nor come from one", b.alice, "Transfer eur nobody alice 1", refusal.NotFound},
		{"an issue needs an account too", b.issuer, "Issue eur nobody 1", refusal.NotFound},
		{"a type that nobody defined", b.alice, "Transfer usd alice bob 1", refusal.NotFound},
		{"an issue of a type that nobody defined", b.issuer, "Issue usd alice 1", refusal.NotFound},
		{"a type is defined once", b.alice, "CreateType eur mine", refusal.Exists},
		{"an account is opened once", b.bob, "OpenAccount alice", refusal.Exists},
		{"an account's name is checked", b.bob, "OpenAccount -x", refusal.Invalid},
		{"a type's name is checked", b.bob, "CreateType ü cent", refusal.Invalid},
		{"a unit is short", b.bob, "CreateType x " + strings.Repeat("u", asset.MaxUnit+1), refusal.Invalid},
		{"an identity that is no certificate", ledgertest.Raw(t, "org1MSP", []byte("x")), "OpenAccount x", refusal.Denied},
	} {
		t.Run(row.why, func(t *testing.T) {
			call := strings.Fields(row.call)
			tx := b.Simulate(row.client, call[0], call[1:]...)
			if err := tx.Err(); err == nil || !strings.HasPrefix(err.Error(), string(row.code)+": ") {
				t.Errorf("got %v, want %s", err, row.code)
			}
			if err := b.Commit(tx); err == nil {
				t.Error("a refused call was committed")
			}
		})
	}
	b.holds(t, "alice", "100")
	b.holds(t, "bob", "0")
}

func TestNothingIsSpentTwice(t *testing.T) {
	for _, row := range []struct {
		why           string
		first, second string
	}{
		{"the same money to two payees", "Transfer eur alice bob 100", "Transfer eur alice vault 100"},
		{"two small payments: the later one must not restore the earlier balance", "Transfer eur alice bob 1", "Transfer eur alice vault 2"},
		{"a payment received while paying is not lost", "Transfer eur alice bob 1", "Issue eur alice 5"},
		{"two receipts of one account are not merged", "Issue eur bob 5", "Transfer eur alice bob 1"},
		{"two issues of one type count twice in the supply", "Issue eur bob 5", "Issue eur vault 5"},
	} {
		t.Run(row.why, func(t *testing.T) {
			b := newBank(t)
			b.issue(t, "alice", "100")
			first, second := b.simulate(row.first), b.simulate(row.second)
			if err := errors.Join(first.Err(), second.Err()); err != nil {
				t.Fatal(err)
			}
			if err := b.Commit(first); err != nil {
				t.Fatal(err)
			}
			if err := b.Commit(second); !errors.Is(err, ledgertest.ErrConflict) {
				t.Errorf("the second commit gave %v", err)
			}
			b.audit(t)
			if err := b.Commit(b.simulate(row.second)); (err == nil) != (row.second != "Transfer eur alice vault 100") {
				t.Errorf("made anew, the second gave %v", err)
			}
			b.audit(t)
		})
	}
}

// simulate runs a call as the client that may make it.
func (b bank) simulate(call string) *ledgertest.Tx {
	words := strings.Fields(call)
	client := b.alice
	if words[0] == "Issue" {
		client = b.issuer
	}
	return b.Simulate(client, words[0], words[1:]...)
}

// audit holds that the accounts add up to the supply, and that each history adds up to its balance.
func (b bank) audit(t *testing.T) {
	t.Helper()
	total := uint64(0)
	for _, account := range []string{"alice", "bob", "vault"} {
		held := ledgertest.Evaluate[asset.Balance](t, b.Ledger, b.bob, "Balance", account, "eur")
		history := ledgertest.Evaluate[asset.Entries](t, b.Ledger, b.bob, "History", account, "eur", "1")
		balance := uint64(0)
		for _, e := range history.Entries {
			if e.Kind == asset.KindOut {
				balance -= number(t, e.Amount)
			} else {
				balance += number(t, e.Amount)
			}
		}
		if balance != number(t, held.Amount) || len(history.Entries) != held.Entries {
			t.Errorf("%s holds %s in %d entries, its history says %d in %d", account, held.Amount, held.Entries, balance, len(history.Entries))
		}
		total += balance
	}
	if supply := ledgertest.Evaluate[asset.Type](t, b.Ledger, b.bob, "GetType", "eur").Supply; number(t, supply) != total {
		t.Errorf("the supply is %s, the accounts hold %d", supply, total)
	}
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	var n uint64
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLargestAmountsKeepEveryDigit(t *testing.T) {
	b := newBank(t)
	b.issue(t, "alice", largest)
	if _, err := b.Submit(b.issuer, "Issue", "eur", "bob", "1"); err == nil || !strings.HasPrefix(err.Error(), "OVERFLOW") {
		t.Errorf("one more than the largest supply gave %v", err)
	}
	ledgertest.Submit[asset.Movement](t, b.Ledger, b.alice, "Transfer", "eur", "alice", "bob", "9007199254740993")
	b.holds(t, "alice", "18437736874454810622")
	b.holds(t, "bob", "9007199254740993")
}

func TestTypesDoNotMix(t *testing.T) {
	b := newBank(t)
	ledgertest.Submit[asset.Type](t, b.Ledger, b.bob, "CreateType", "usd", "US cent")
	b.issue(t, "alice", "100")
	if _, err := b.Submit(b.alice, "Transfer", "usd", "alice", "bob", "1"); err == nil || !strings.HasPrefix(err.Error(), "INSUFFICIENT_FUNDS") {
		t.Errorf("paying in another type gave %v", err)
	}
	if _, err := b.Submit(b.issuer, "Issue", "usd", "alice", "1"); err == nil || !strings.HasPrefix(err.Error(), "PERMISSION_DENIED") {
		t.Errorf("issuing another's type gave %v", err)
	}
}

func TestHistoryPages(t *testing.T) {
	b := newBank(t)
	for range asset.HistoryPage + 1 {
		b.issue(t, "alice", "1")
	}
	page := ledgertest.Evaluate[asset.Entries](t, b.Ledger, b.bob, "History", "alice", "eur", "1")
	if len(page.Entries) != asset.HistoryPage || page.Next != asset.HistoryPage+1 {
		t.Fatalf("the first page has %d entries and goes on at %d", len(page.Entries), page.Next)
	}
	page = ledgertest.Evaluate[asset.Entries](t, b.Ledger, b.bob, "History", "alice", "eur", fmt.Sprint(page.Next))
	if len(page.Entries) != 1 || page.Next != 0 || page.Entries[0].Balance != "51" {
		t.Errorf("the second page is %+v", page)
	}
	if _, err := b.Evaluate(b.bob, "History", "alice", "eur", "0"); err == nil || !strings.HasPrefix(err.Error(), "INVALID_ARGUMENT") {
		t.Errorf("entry 0 gave %v", err)
	}
}

func TestEventsAndEndorsersAgree(t *testing.T) {
	b := newBank(t)
	b.issue(t, "alice", "100")
	first := b.simulate("Transfer eur alice bob 30")
	event := ledgertest.Parse[asset.Movement](t, string(first.Event), first.Err())
	if first.EventName != asset.EventTransfer || event.Amount != "30" {
		t.Errorf("the event is %s %+v", first.EventName, event)
	}
	again := first.Again()
	if string(first.Response.Payload) != string(again.Response.Payload) || fmt.Sprint(first.Writes) != fmt.Sprint(again.Writes) {
		t.Error("two endorsers of one proposal differ")
	}
}
