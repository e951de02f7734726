package asset

import (
	"encoding/json"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/hanse-io/hanse/contracts/key"
	"github.com/hanse-io/hanse/contracts/refusal"
)

// The object types of the composite keys.
const (
	typeOf    = "type"
	accountOf = "account"
	balanceOf = "balance"
	entryOf   = "entry"
)

// store reads and writes state; it alone knows the state keys.
type store struct {
	stub shim.ChaincodeStubInterface
}

// assetType refuses a type that is not defined.
func (s store) assetType(id string) (*Type, error) {
	if err := key.Check("type", id); err != nil {
		return nil, err
	}
	found := &Type{}
	ok, err := s.get(found, typeOf, id)
	if err == nil && !ok {
		return nil, refusal.NotFound.Because("no type %q is defined: its issuer defines it with CreateType", id)
	}
	return found, err
}

// account refuses an account that is not open.
func (s store) account(id string) (*Account, error) {
	if err := key.Check("account", id); err != nil {
		return nil, err
	}
	found := &Account{}
	ok, err := s.get(found, accountOf, id)
	if err == nil && !ok {
		return nil, refusal.NotFound.Because("no account %q is open: its owner opens it with OpenAccount", id)
	}
	return found, err
}

// balance gives the balance of an account and type that were checked before.
func (s store) balance(accountID, typeID string) (*Balance, error) {
	held := &Balance{Account: accountID, Type: typeID, Amount: amount(0).String()}
	_, err := s.get(held, balanceOf, accountID, typeID)
	return held, err
}

// entry gives an entry that the balance says is there.
func (s store) entry(accountID, typeID string, n int) (*Entry, error) {
	found := &Entry{}
	ok, err := s.get(found, entryOf, accountID, typeID, key.Number(n))
	if err == nil && !ok {
		return nil, refusal.Ledger.Because("entry %d of %q is missing from the state", n, accountID)
	}
	return found, err
}

// putMovement writes a balance together with the entry that explains it.
func (s store) putMovement(held *Balance, entry *Entry) error {
	if err := s.put(entry, entryOf, held.Account, held.Type, key.Number(entry.Number)); err != nil {
		return err
	}
	return s.put(held, balanceOf, held.Account, held.Type)
}

// get reads into an object, and tells whether there was one.
func (s store) get(into any, objectType string, names ...string) (bool, error) {
	at, err := key.Of(objectType, names...)
	if err != nil {
		return false, err
	}
	value, err := s.stub.GetState(at)
	if err != nil {
		return false, refusal.Ledger.Because("reading %s %v: %w", objectType, names, err)
	}
	if value == nil {
		return false, nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return false, refusal.Ledger.Because("%s %v does not parse: %w", objectType, names, err)
	}
	return true, nil
}

func (s store) put(object any, objectType string, names ...string) error {
	at, err := key.Of(objectType, names...)
	if err != nil {
		return err
	}
	value, err := json.Marshal(object)
	if err != nil {
		return refusal.Ledger.Because("encoding %s %v: %w", objectType, names, err)
	}
	if err := s.stub.PutState(at, value); err != nil {
		return refusal.Ledger.Because("writing %s %v: %w", objectType, names, err)
	}
	return nil
}
