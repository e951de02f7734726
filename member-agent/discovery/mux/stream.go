package mux

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	// piece is how much of one stream is sent before others have their turn.
	piece = 16 << 10
	// smallRead is up to which size a stream keeps its buffer for the next data.
	smallRead = 2 << 10
)

// Stream is one of a session's.
type Stream interface {
	net.Conn
	// Ended is whether the other side has closed the stream, for who only writes. It must not be called while something reads.
	Ended() bool
}

// stream is a net.Conn whose Close never blocks, and ends reads and writes that wait.
type stream struct {
	*yamux.Stream
	session *Session
	once    sync.Once
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if n > smallRead {
		s.Shrink()
	}
	return n, err
}

func (s *stream) Write(p []byte) (int, error) {
	written := 0
	for {
		n, err := s.Stream.Write(p[written:min(len(p), written+piece)])
		written += n
		if err != nil {
			s.session.checkWrite(err)
			return written, err
		}
		if written >= len(p) {
			return written, nil
		}
	}
}

func (s *stream) Ended() bool {
	_ = s.SetReadDeadline(time.Unix(1, 0))
	var more [1]byte
	// An end comes before the deadline. Data is no end, and lost.
	_, err := s.Stream.Read(more[:])
	return err != nil && !errors.Is(err, yamux.ErrTimeout)
}

// Close closes the stream at both ends. yamux waits until that was sent, which is not waited for here; it also lets reads
// go on, which a deadline ends.
func (s *stream) Close() error {
	s.once.Do(func() {
		_ = s.SetDeadline(time.Unix(1, 0))
		go func() { _ = s.Stream.Close() }()
	})
	return nil
}
