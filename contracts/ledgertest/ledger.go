// Package ledgertest holds a small ledger for the contracts' tests: it simulates
// a transaction against the committed state, then commits it under the same
// optimistic check of read versions (MVCC) that a peer makes.
//
// It stands in for the peer, not for the contract API: tests run the real
// ContractChaincode, with real certificates as creators. Only what the contracts
// use is there; any other call on the stub panics, which names the gap.
package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

// ErrConflict is what a peer calls MVCC_READ_CONFLICT: something that the
// transaction read has changed since.
var ErrConflict = errors.New("MVCC read conflict")

// Epoch is the time of the first transaction; each next one is a second later.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type entry struct {
	value   []byte
	version int
}

// Ledger is the committed state of one chaincode on one channel.
type Ledger struct {
	chaincode shim.Chaincode
	state     map[string]entry
	height    int
	proposals int
}

// New gives an empty ledger on which the chaincode runs.
func New(chaincode shim.Chaincode) *Ledger {
	return &Ledger{chaincode: chaincode, state: map[string]entry{}}
}

// Simulate runs a call against the state committed so far and changes nothing.
func (l *Ledger) Simulate(client Client, function string, args ...string) *Tx {
	l.proposals++
	tx := &Tx{
		ledger: l, client: client, function: function, args: args,
		id:    fmt.Sprintf("tx%d", l.proposals),
		stamp: Epoch.Add(time.Duration(l.proposals-1) * time.Second),
		reads: map[string]int{}, Writes: map[string][]byte{},
	}
	tx.Response = l.chaincode.Invoke(tx)
	return tx
}

// Commit applies a simulated transaction if everything it read is unchanged.
func (l *Ledger) Commit(tx *Tx) error {
	if tx.Response.Status != shim.OK {
		return fmt.Errorf("%s was not endorsed: %s", tx.id, tx.Response.Message)
	}
	if tx.paginated && len(tx.Writes) > 0 {
		return fmt.Errorf("%s: a peer refuses a transaction that writes after a paginated query", tx.id)
	}
	for key, version := range tx.reads {
		if l.state[key].version != version {
			return fmt.Errorf("%s read %q: %w", tx.id, key, ErrConflict)
		}
	}
	l.height++
	for key, value := range tx.Writes {
		l.state[key] = entry{value: value, version: l.height}
	}
	return nil
}

// Submit simulates and commits, and returns the payload.
func (l *Ledger) Submit(client Client, function string, args ...string) (string, error) {
	tx := l.Simulate(client, function, args...)
	if err := tx.Err(); err != nil {
		return "", err
	}
	return string(tx.Response.Payload), l.Commit(tx)
}

// Evaluate simulates only, and fails if the call would have written something:
// a query must be safe to run on one peer.
func (l *Ledger) Evaluate(client Client, function string, args ...string) (string, error) {
	tx := l.Simulate(client, function, args...)
	if err := tx.Err(); err != nil {
		return "", err
	}
	if len(tx.Writes) > 0 {
		return "", fmt.Errorf("%s is a query, yet it wrote %d keys", function, len(tx.Writes))
	}
	return string(tx.Response.Payload), nil
}

// keysBetween lists the committed keys of a half-open range, sorted as a peer sorts them.
func (l *Ledger) keysBetween(start, end string) []string {
	var keys []string
	for key := range l.state {
		if key >= start && key < end {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Err is the refusal that a client would see, or nil.
func (tx *Tx) Err() error {
	if tx.Response.Status == shim.OK {
		return nil
	}
	return errors.New(tx.Response.Message)
}

var _ shim.ChaincodeStubInterface = (*Tx)(nil)

// Again simulates the same proposal once more, as a second endorser would.
func (tx *Tx) Again() *Tx {
	again := &Tx{
		ledger: tx.ledger, client: tx.client, function: tx.function, args: tx.args, id: tx.id, stamp: tx.stamp,
		reads: map[string]int{}, Writes: map[string][]byte{},
	}
	again.Response = tx.ledger.chaincode.Invoke(again)
	return again
}
