// Package asset is a contract for fungible assets: an organization defines a
// type and issues it, clients of any organization hold it in accounts and
// transfer it.
//
// Nothing is spent twice: every movement reads the balances that it changes and
// writes the sums in the same transaction, so of two transactions that start
// from one balance the peers accept one, and the other has to be made anew.
// Amounts are whole units up to 2^64-1, as decimal strings, and no sum wraps.
//
// All state lies under composite keys: type/<id>, account/<id>,
// balance/<account>/<type> and entry/<account>/<type>/<n>. The history is state,
// and does not depend on a peer's optional history database.
//
// The package must not know how it is served, nor which channel it runs on.
package asset

import (
	"unicode/utf8"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"

	"github.com/hanse-io/hanse/contracts/key"
	"github.com/hanse-io/hanse/contracts/origin"
	"github.com/hanse-io/hanse/contracts/refusal"
)

const (
	// Name is the contract's name within its chaincode.
	Name = "asset"
	// Version is the version of the contract's interface.
	Version = "0.1.0"
	// MaxUnit is the longest unit of a type, in bytes.
	MaxUnit = 64
	// HistoryPage is the number of entries that one call of History gives.
	HistoryPage = 50
)

// Contract is the asset contract. Its exported methods are the functions that clients call.
type Contract struct {
	contractapi.Contract
}

// New gives the contract, ready for contractapi.NewChaincode.
func New() *Contract {
	c := &Contract{}
	c.Name = Name
	c.Info = metadata.InfoMetadata{Title: Name, Version: Version,
		Description: "Fungible assets: types with an issuer, accounts with an owner, transfers that cannot spend twice."}
	return c
}

// GetEvaluateTransactions names the functions that only read.
func (c *Contract) GetEvaluateTransactions() []string {
	return []string{"GetType", "GetAccount", "Balance", "History"}
}

// CreateType defines a type of asset; the caller's organization becomes its issuer.
func (c *Contract) CreateType(ctx contractapi.TransactionContextInterface, id, unit string) (*Type, error) {
	if err := key.Check("type", id); err != nil {
		return nil, err
	}
	if len(unit) > MaxUnit || !utf8.ValidString(unit) {
		return nil, refusal.Invalid.Because("the unit has %d bytes: give at most %d bytes of UTF-8", len(unit), MaxUnit)
	}
	by, err := origin.Of(ctx.GetStub())
	if err != nil {
		return nil, err
	}
	s := store{ctx.GetStub()}
	taken := &Type{}
	if found, err := s.get(taken, typeOf, id); err != nil {
		return nil, err
	} else if found {
		return nil, refusal.Exists.Because("the type %q is already defined by %s: use another id", id, taken.Issuer)
	}
	created := &Type{ID: id, Issuer: by.MSP, Unit: unit, Supply: amount(0).String(), By: by}
	return created, s.put(created, typeOf, id)
}

// OpenAccount opens an account that belongs to the caller.
func (c *Contract) OpenAccount(ctx contractapi.TransactionContextInterface, id string) (*Account, error) {
	if err := key.Check("account", id); err != nil {
		return nil, err
	}
	by, err := origin.Of(ctx.GetStub())
	if err != nil {
		return nil, err
	}
	s := store{ctx.GetStub()}
	taken := &Account{}
	if found, err := s.get(taken, accountOf, id); err != nil {
		return nil, err
	} else if found {
		return nil, refusal.Exists.Because("the account %q belongs to a client of %s: use another id", id, taken.Owner.MSP)
	}
	opened := &Account{ID: id, Owner: by.Party(), By: by}
	return opened, s.put(opened, accountOf, id)
}

// GetType gives a type with its supply.
func (c *Contract) GetType(ctx contractapi.TransactionContextInterface, id string) (*Type, error) {
	return store{ctx.GetStub()}.assetType(id)
}

// GetAccount gives an account with its owner.
func (c *Contract) GetAccount(ctx contractapi.TransactionContextInterface, id string) (*Account, error) {
	return store{ctx.GetStub()}.account(id)
}

// Balance gives what an account holds of a type; an account that never held any has 0.
func (c *Contract) Balance(ctx contractapi.TransactionContextInterface, accountID, typeID string) (*Balance, error) {
	s := store{ctx.GetStub()}
	if _, err := s.account(accountID); err != nil {
		return nil, err
	}
	if _, err := s.assetType(typeID); err != nil {
		return nil, err
	}
	return s.balance(accountID, typeID)
}

// History gives the movements of a type on an account, oldest first, from the given entry on.
func (c *Contract) History(ctx contractapi.TransactionContextInterface, accountID, typeID string, from int) (*Entries, error) {
	held, err := c.Balance(ctx, accountID, typeID)
	if err != nil {
		return nil, err
	}
	if from < 1 {
		return nil, refusal.Invalid.Because("entries count from 1, not from %d", from)
	}
	s := store{ctx.GetStub()}
	answer := &Entries{Entries: make([]Entry, 0, HistoryPage)}
	for n := from; n <= held.Entries; n++ {
		if len(answer.Entries) == HistoryPage {
			answer.Next = n
			break
		}
		entry, err := s.entry(accountID, typeID, n)
		if err != nil {
			return nil, err
		}
		answer.Entries = append(answer.Entries, *entry)
	}
	return answer, nil
}
