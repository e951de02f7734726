// Package ledgertest runs the ledger phases of several Members without a cluster, for tests and benchmarks: first blocks and
// statements are kept in memory, and what host and gossip do is done between two runs. It must know nothing of any ledger
// technology.
package ledgertest

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/hanse-io/hanse/member-agent/ledger"
)

// Pins are those of one Member. The zero value holds none.
type Pins struct {
	mu     sync.Mutex
	pins   map[string]ledger.Pin
	blocks map[string][]byte
}

var _ ledger.Pins = (*Pins)(nil)

// All lists the pins.
func (p *Pins) All(context.Context) (map[string]ledger.Pin, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.pins), nil
}

// Block is a pinned block.
func (p *Pins) Block(_ context.Context, channel string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocks[channel] == nil {
		return nil, fmt.Errorf("no first block of %s", channel)
	}
	return p.blocks[channel], nil
}

// Keep pins a block.
func (p *Pins) Keep(_ context.Context, channel, hash string, packed []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if there, ok := p.pins[channel]; ok && there.Hash != hash {
		return fmt.Errorf("another first block of %s is kept", channel)
	}
	if p.pins == nil {
		p.pins, p.blocks = map[string]ledger.Pin{}, map[string][]byte{}
	}
	p.pins[channel], p.blocks[channel] = ledger.Pin{Hash: hash}, packed
	return nil
}

// Agree notes that everybody holds a pinned block.
func (p *Pins) Agree(_ context.Context, channel string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pins[channel] = ledger.Pin{Hash: p.pins[channel].Hash, Agreed: true}
	return nil
}

// Where names nothing that exists.
func (p *Pins) Where(channel string) string { return "the pin of " + channel }

// Forget loses everything.
func (p *Pins) Forget(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pins, p.blocks = nil, nil
	return nil
}
