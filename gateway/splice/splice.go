// Package splice copies between two TCP connections until both directions have ended. It must not know what they carry,
// but that it is TLS, nor why.
package splice

import (
	"net"
	"sync"
	"sync/atomic"
)

// Pair is two connected TCP connections.
type Pair struct {
	a, b  *net.TCPConn
	ended atomic.Int32 // directions that have ended in good order
	once  sync.Once

	established func() // may be nil
	spoken      atomic.Int32
	ab, ba      records
}

// NewPair returns the Pair of a and b, which owns them from now on.
func NewPair(a, b *net.TCPConn) *Pair { return &Pair{a: a, b: b} }

// OnEstablished calls established, once, when TLS application data has passed both ways: in TLS 1.2 after the
// handshake, in TLS 1.3 with the client's last message of it, which only a client can make that has followed the
// handshake, or else the server closes. head is what went from a to b already. It is to be called before Run.
func (p *Pair) OnEstablished(head []byte, established func()) {
	p.established = established
	p.ab.pass(head)
}

// Run copies both ways until both have ended and returns the numbers of bytes from a to b and back. An end of stream is
// forwarded as a half-close, so that each direction ends by itself; an error ends both.
func (p *Pair) Run() (ab, ba int64) {
	defer p.Close()
	var back sync.WaitGroup
	back.Go(func() { ba = p.carry(p.a, p.b, &p.ba) })
	ab = p.carry(p.b, p.a, &p.ab)
	back.Wait()
	return ab, ba
}

// Close ends both connections at once; it may be called during Run, and more than once.
func (p *Pair) Close() {
	p.once.Do(func() {
		p.a.Close()
		p.b.Close()
	})
}

func (p *Pair) carry(dst, src *net.TCPConn, r *records) int64 {
	var n int64
	var err error
	ended := false
	if p.established != nil {
		if n, ended, err = watch(dst, src, r); err == nil && r.spoken && p.spoken.Add(1) == 2 {
			p.established()
		}
	}
	if err == nil && !ended {
		var more int64
		more, err = move(dst, src)
		n += more
	}
	// The second direction to end needs no half-close: closing says the same.
	if err != nil || p.ended.Add(1) == 2 || dst.CloseWrite() != nil {
		p.Close()
	}
	return n
}
