package ledgertest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Tx is one simulated transaction: what it read, what it would write, and what
// it answered.
type Tx struct {
	shim.ChaincodeStubInterface // nil: a call that is not below panics

	// Response is the chaincode's answer.
	Response *peer.Response
	// Writes are the values to commit, by key.
	Writes map[string][]byte
	// EventName and Event are the chaincode event, if the call set one.
	EventName string
	Event     []byte

	ledger    *Ledger
	client    Client
	function  string
	args      []string
	id        string
	stamp     time.Time
	reads     map[string]int
	paginated bool
}

// GetFunctionAndParameters gives the call.
func (tx *Tx) GetFunctionAndParameters() (string, []string) { return tx.function, tx.args }

// GetTxID gives the transaction's id.
func (tx *Tx) GetTxID() string { return tx.id }

// GetTxTimestamp gives the time that the client put into its proposal.
func (tx *Tx) GetTxTimestamp() (*timestamppb.Timestamp, error) { return timestamppb.New(tx.stamp), nil }

// GetCreator gives the serialized identity of the client.
func (tx *Tx) GetCreator() ([]byte, error) { return tx.client.creator, nil }

// GetState reads the committed state, as a peer does: a transaction does not see its own writes.
func (tx *Tx) GetState(key string) ([]byte, error) {
	if key == "" {
		return nil, errors.New("key must not be an empty string")
	}
	found := tx.ledger.state[key]
	tx.reads[key] = found.version
	return bytes.Clone(found.value), nil
}

// PutState notes a write.
func (tx *Tx) PutState(key string, value []byte) error {
	if key == "" || !utf8.ValidString(key) {
		return fmt.Errorf("%q is not a key", key)
	}
	tx.Writes[key] = bytes.Clone(value)
	return nil
}

// SetEvent notes the event; the last one of a transaction wins.
func (tx *Tx) SetEvent(name string, payload []byte) error {
	tx.EventName, tx.Event = name, bytes.Clone(payload)
	return nil
}

// GetStateByRangeWithPagination reads one page of a half-open range. The bookmark is the next
// page's first key, as with both of Fabric's state databases.
func (tx *Tx) GetStateByRangeWithPagination(start, end string, size int32, bookmark string) (
	shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	if strings.HasPrefix(start, "\x00") || strings.HasPrefix(end, "\x00") {
		return nil, nil, errors.New("a range of plain keys cannot start with a null character")
	}
	if bookmark != "" {
		start = bookmark
	}
	tx.paginated = true
	keys := tx.ledger.keysBetween(start, end)
	answer := &peer.QueryResponseMetadata{}
	if len(keys) > int(size) {
		answer.Bookmark = keys[size]
		keys = keys[:size]
	}
	answer.FetchedRecordsCount = int32(len(keys))
	return &page{ledger: tx.ledger, keys: keys}, answer, nil
}

type page struct {
	ledger *Ledger
	keys   []string
}

func (p *page) HasNext() bool { return len(p.keys) > 0 }
func (p *page) Close() error  { return nil }

func (p *page) Next() (*queryresult.KV, error) {
	if len(p.keys) == 0 {
		return nil, errors.New("no more results")
	}
	key := p.keys[0]
	p.keys = p.keys[1:]
	return &queryresult.KV{Key: key, Value: bytes.Clone(p.ledger.state[key].value)}, nil
}
