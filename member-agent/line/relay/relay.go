// Package relay joins two TCP connections until both directions have ended. It must not know what they carry nor why.
package relay

import (
	"net"
	"sync"
)

// Pair is two joined connections.
type Pair struct {
	a, b *net.TCPConn
	once sync.Once
}

// NewPair joins a and b, which belong to the pair from now on.
func NewPair(a, b *net.TCPConn) *Pair { return &Pair{a: a, b: b} }

// Run carries bytes both ways until both have ended and returns how many went from a to b and back. An end of stream is
// passed on, so that each direction ends by itself; an error ends both.
func (p *Pair) Run() (ab, ba int64) {
	defer p.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ba = p.carry(p.a, p.b)
	}()
	ab = p.carry(p.b, p.a)
	<-done
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
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		p.Close()
	}
	return n
}
