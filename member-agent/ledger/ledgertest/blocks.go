package ledgertest

import (
	"context"
	"fmt"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/statement"
)

// Exchange holds the statements with first blocks that some Members know, as host and gossip would bring them. They are not
// signed. The zero value holds none.
type Exchange struct {
	mu     sync.Mutex
	byRef  map[v1alpha1.StatementRef][]byte
	newest map[statement.Key]v1alpha1.StatementRef
}

// Put adds a Member's statement with a packed first block.
func (e *Exchange) Put(member, channel string, packed []byte) v1alpha1.StatementRef {
	s := statement.NewGenesis("trade", member, channel, packed)
	ref := statement.Ref(&s)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byRef == nil {
		e.byRef, e.newest = map[v1alpha1.StatementRef][]byte{}, map[statement.Key]v1alpha1.StatementRef{}
	}
	e.byRef[ref], e.newest[statement.KeyOf(&s)] = packed, ref
	return ref
}

// Block is the first block in a statement, decompressed.
func (e *Exchange) Block(ref v1alpha1.StatementRef) ([]byte, error) {
	e.mu.Lock()
	packed, ok := e.byRef[ref]
	e.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("there is no statement %s of %s", ref.Digest, ref.Member)
	}
	return statement.Decompress(packed)
}

// Forget loses everything.
func (e *Exchange) Forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byRef, e.newest = nil, nil
}

// Of is the exchange as one Member uses it.
func (e *Exchange) Of(member string) ledger.Blocks { return blocks{e, member} }

type blocks struct {
	*Exchange
	member string
}

// Find finds what the plan refers to, or the leader's.
func (b blocks) Find(_ context.Context, channel v1alpha1.PlanChannel, leader string) ([]byte, error) {
	b.mu.Lock()
	ref, ok := b.newest[statement.Key{Member: leader, Kind: v1alpha1.StatementGenesis, Subject: channel.Name}]
	if channel.Genesis != nil {
		ref = *channel.Genesis
		_, ok = b.byRef[ref]
	}
	b.mu.Unlock()
	if !ok {
		return nil, nil
	}
	return b.Block(ref)
}

// Publish adds a statement of the Member.
func (b blocks) Publish(_ context.Context, channel string, packed []byte) (string, error) {
	return b.Put(b.member, channel, packed).Digest, nil
}
