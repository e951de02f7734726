package asset

import (
	"encoding/json"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/hanse-io/hanse/contracts/origin"
	"github.com/hanse-io/hanse/contracts/refusal"
)

// The chaincode events; their payload is the Movement.
const (
	// EventIssue is the event of an issue.
	EventIssue = "asset.Issue"
	// EventTransfer is the event of a transfer.
	EventTransfer = "asset.Transfer"
)

// Issue brings an amount of a type into being on an account. Only clients of the
// type's issuer may.
func (c *Contract) Issue(ctx contractapi.TransactionContextInterface, typeID, to, amountText string) (*Movement, error) {
	value, err := parsePositive(amountText)
	if err != nil {
		return nil, err
	}
	by, err := origin.Of(ctx.GetStub())
	if err != nil {
		return nil, err
	}
	s := store{ctx.GetStub()}
	issued, err := s.assetType(typeID)
	if err != nil {
		return nil, err
	}
	if issued.Issuer != by.MSP {
		return nil, refusal.Denied.Because("only %s issues %q: %s cannot", issued.Issuer, typeID, by.MSP)
	}
	if _, err := s.account(to); err != nil {
		return nil, err
	}
	// The supply bounds every balance, so checking it here keeps all later sums from wrapping too.
	if issued.Supply, err = sum(issued.Supply, value); err != nil {
		return nil, err
	}
	if err := s.put(issued, typeOf, typeID); err != nil {
		return nil, err
	}
	if err := s.credit(to, typeID, value, Entry{Kind: KindIssue, By: by}); err != nil {
		return nil, err
	}
	return announce(ctx, EventIssue, &Movement{Type: typeID, To: to, Amount: value.String(), By: by})
}

// Transfer moves an amount from the caller's account to another one.
func (c *Contract) Transfer(ctx contractapi.TransactionContextInterface, typeID, from, to, amountText string) (*Movement, error) {
	value, err := parsePositive(amountText)
	if err != nil {
		return nil, err
	}
	by, err := origin.Of(ctx.GetStub())
	if err != nil {
		return nil, err
	}
	s := store{ctx.GetStub()}
	if err := s.checkTransfer(by.Party(), typeID, from, to); err != nil {
		return nil, err
	}
	if err := s.debit(from, typeID, value, Entry{Kind: KindOut, Counterparty: to, By: by}); err != nil {
		return nil, err
	}
	if err := s.credit(to, typeID, value, Entry{Kind: KindIn, Counterparty: from, By: by}); err != nil {
		return nil, err
	}
	return announce(ctx, EventTransfer, &Movement{Type: typeID, From: from, To: to, Amount: value.String(), By: by})
}

// checkTransfer asks whether this caller may move this type between these accounts.
func (s store) checkTransfer(caller origin.Party, typeID, from, to string) error {
	// Within one transaction a read does not see an earlier write: a transfer to the
	// same account would read the old balance twice and make money.
	if from == to {
		return refusal.Invalid.Because("the transfer goes from %q to itself: name two accounts", from[:min(len(from), 128)])
	}
	if _, err := s.assetType(typeID); err != nil {
		return err
	}
	payer, err := s.account(from)
	if err != nil {
		return err
	}
	if payer.Owner != caller {
		return refusal.Denied.Because("the account %q belongs to another client (of %s): only its owner can transfer from it",
			from, payer.Owner.MSP)
	}
	_, err = s.account(to)
	return err
}

func (s store) credit(accountID, typeID string, value amount, entry Entry) error {
	return s.move(accountID, typeID, value, entry, amount.plus)
}

func (s store) debit(accountID, typeID string, value amount, entry Entry) error {
	return s.move(accountID, typeID, value, entry, amount.minus)
}

// move reads a balance, applies the change, and writes the balance and its entry.
func (s store) move(accountID, typeID string, value amount, entry Entry, apply func(a, b amount) (amount, error)) error {
	held, err := s.balance(accountID, typeID)
	if err != nil {
		return err
	}
	before, err := parseAmount(held.Amount)
	if err != nil {
		return refusal.Ledger.Because("the balance of %q does not parse: %w", accountID, err)
	}
	after, err := apply(before, value)
	if refusal.Insufficient.Is(err) {
		return refusal.Insufficient.Because("the account %q holds %s of %q, %s are asked for", accountID, before, typeID, value)
	}
	if err != nil {
		return err
	}
	held.Amount, held.Entries = after.String(), held.Entries+1
	entry.Number, entry.Amount, entry.Balance = held.Entries, value.String(), after.String()
	return s.putMovement(held, &entry)
}

func sum(text string, value amount) (string, error) {
	before, err := parseAmount(text)
	if err != nil {
		return "", refusal.Ledger.Because("a sum in the state does not parse: %w", err)
	}
	after, err := before.plus(value)
	return after.String(), err
}

func announce(ctx contractapi.TransactionContextInterface, name string, movement *Movement) (*Movement, error) {
	payload, err := json.Marshal(movement)
	if err != nil {
		return nil, refusal.Ledger.Because("encoding the event: %w", err)
	}
	if err := ctx.GetStub().SetEvent(name, payload); err != nil {
		return nil, refusal.Ledger.Because("setting the event: %w", err)
	}
	return movement, nil
}
