// Package relay joins two TCP connections until both directions have ended. It must not know what they carry nor why.
package relay

import (
	"net"
	"sync"
	"sync/atomic"
)

// Pair is two joined connections.
type Pair struct {
	a, b  *net.TCPConn
	ended atomic.Int32 // directions that have ended in good order
	once  sync.Once
}

// NewPair joins a and b, which belong to the pair from now on.
func NewPair(a, b *net.TCPConn) *Pair { return &Pair{a: a, b: b} }

// Run carries bytes both ways until both have ended and returns how many went from a to b and back. An end of stream is
// passed on, so that each direction ends by itself; an error ends both.
func (p *Pair) Run() (ab, ba int64) {
	defer p.Close()
	var back sync.WaitGroup
	back.Go(func() { ba = p.carry(p.a, p.b) })
	ab = p.carry(p.b, p.a)
	back.Wait()
	return ab, ba
}

// Close ends both connections at once; it may be called while Run goes on, and more than once.
func (p *Pair) Close() {
	p.once.Do(func() {
		p.a.Close()
		p.b.Close()
	})
}

func (p *Pair) carry(dst, src *net.TCPConn) int64 {
	n, err := move(dst, src)
	// The second direction to end needs no half-close: closing says the same.
	if err != nil || p.ended.Add(1) == 2 || dst.CloseWrite() != nil {
		p.Close()
	}
	return n
}
