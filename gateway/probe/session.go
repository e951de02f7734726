package probe

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// session is one connection to the far gateway. All but receive belongs to the prober's own goroutine.
type session struct {
	conn *tls.Conn
	// sent holds when each unanswered ping was sent.
	sent map[uint64]time.Time
	// proven is set once the far end has answered: only then has it accepted our certificate too.
	proven bool
}

// connect dials the far gateway and authenticates it.
func connect(ctx context.Context, dial func(context.Context) (net.Conn, error), config *tls.Config) (*session, error) {
	raw, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &handshakeError{err}
	}
	return &session{conn: conn, sent: map[uint64]time.Time{}}, nil
}

func (s *session) ping(line string, now time.Time, timeout time.Duration) error {
	nonce := rand.Uint64()
	s.sent[nonce] = now
	if err := s.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	return writeFrame(s.conn, ping{Line: line, Nonce: nonce})
}

// onPong returns the round trip of a ping, and false for an unexpected answer.
func (s *session) onPong(nonce uint64, at time.Time) (time.Duration, bool) {
	sent, ok := s.sent[nonce]
	if !ok {
		return 0, false
	}
	for n, when := range s.sent { // earlier ones are answered late or never
		if !when.After(sent) {
			delete(s.sent, n)
		}
	}
	return max(at.Sub(sent), 0), true
}

// event is a message of a connection's goroutine to the prober.
type event struct {
	session *session // that it is about, or that was made
	made    bool
	err     error // ends the session, or the attempt
	nonce   uint64
	at      time.Time
	state   v1alpha1.LineState
}

// receive reads answers until the connection ends.
func (s *session) receive(now func() time.Time, tell func(event)) {
	for {
		var p pong
		if err := readFrame(s.conn, &p); err != nil {
			tell(event{session: s, err: err})
			return
		}
		tell(event{session: s, nonce: p.Nonce, at: now(), state: validState(p.State)})
	}
}
