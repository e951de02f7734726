package mux

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	// backlog is the number of streams that may be opened and not accepted yet. The dialling side waits when there are more; each
	// may have a whole Window stored here.
	backlog = 16
	// writeTimeout is how long nothing may go out. The session ends then, since its connection hangs.
	writeTimeout = 5 * time.Second
	// openTimeout is how long the other side may take to accept a stream. The session ends then.
	openTimeout = 10 * time.Second
	// closeTimeout is how long a stream that was closed here is kept for the other side to close it too.
	closeTimeout = 10 * time.Second
)

// Session is one connection with its streams. Its methods are safe for concurrent use.
type Session struct {
	conn *filter
	mux  *yamux.Session
}

// Client is the dialling side's session over a connection, which it owns from then on.
func Client(conn net.Conn) (*Session, error) { return newSession(conn, yamux.Client, false) }

// Server is the accepting side's session over a connection, which it owns from then on.
func Server(conn net.Conn) (*Session, error) { return newSession(conn, yamux.Server, true) }

type constructor func(conn ioConn, config *yamux.Config) (*yamux.Session, error)

func newSession(conn net.Conn, create constructor, accepts bool) (*Session, error) {
	s := &Session{conn: newFilter(conn, accepts)}
	var err error
	s.mux, err = create(s.conn, &yamux.Config{
		AcceptBacklog:          backlog,
		KeepAliveInterval:      time.Hour, // not enabled, but checked
		ConnectionWriteTimeout: writeTimeout,
		MaxStreamWindowSize:    Window,
		StreamOpenTimeout:      openTimeout,
		StreamCloseTimeout:     closeTimeout,
		Logger:                 silent{},
	})
	return s, err
}

// Open opens a stream. The other side learns of it at once, and need not have accepted it yet.
func (s *Session) Open(ctx context.Context) (Stream, error) {
	type result struct {
		stream *yamux.Stream
		err    error
	}
	opened := make(chan result, 1)
	go func() {
		stream, err := s.mux.OpenStream()
		s.checkWrite(err)
		opened <- result{stream, err}
	}()
	select {
	case r := <-opened:
		if r.err != nil {
			return nil, r.err
		}
		return &stream{Stream: r.stream, session: s}, nil
	case <-ctx.Done():
		go func() {
			if r := <-opened; r.err == nil {
				_ = r.stream.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// Accept waits for the next stream. The error means that the session has ended.
func (s *Session) Accept() (Stream, error) {
	accepted, err := s.mux.AcceptStream()
	if err != nil {
		s.Close()
		return nil, err
	}
	return &stream{Stream: accepted, session: s}, nil
}

// Close ends the session and all streams. It does not wait for the other side.
func (s *Session) Close() { _ = s.mux.Close() }

// Done is closed when the session has ended, by either side.
func (s *Session) Done() <-chan struct{} { return s.mux.CloseChan() }

// Streams is the number of streams that are open, or half closed.
func (s *Session) Streams() int { return s.mux.NumStreams() }

// Received is when the last data came from the other side.
func (s *Session) Received() time.Time { return time.Unix(0, s.conn.received.Load()) }

// checkWrite ends the session if its connection hangs.
func (s *Session) checkWrite(err error) {
	if errors.Is(err, yamux.ErrConnectionWriteTimeout) {
		s.Close()
	}
}

// silent drops what yamux logs: all of it is also returned as an error, or about frames that a hostile peer can send at any
// rate.
type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
