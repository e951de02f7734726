package discovery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/hanse-io/hanse/member-agent/discovery/mux"
)

// maxAccepted is how many connections one member may have open to this agent. It needs one, and a second while it replaces it.
const maxAccepted = 2

// minAge is how long a new connection is kept although nothing comes: on a machine that is overloaded, closing it and beginning
// again would only be more work.
const minAge = 2 * time.Second

var errRejected = errors.New("the roots have changed during the handshake")

// sessionKey is whom a connection leads to: groups share it that have a member with the same root.
type sessionKey struct{ member, rootPEM string }

// sessions are the connections with all other agents: at most one that this agent has dialled to each, for its own streams,
// and the ones that it has accepted, for theirs.
type sessions struct {
	d      *Discovery
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	running  sync.WaitGroup
	dialled  map[sessionKey]*dialled
	accepted map[string][]*accepted // by member, the newest last
}

// dialled is a connection that this agent has dialled, or is dialling.
type dialled struct {
	ctx         context.Context
	cancel      context.CancelFunc // closes it
	certificate []byte             // this agent's own, in the handshake
	ready       chan struct{}      // closed when session or err is set
	session     *mux.Session
	err         error
	done        time.Time // when the dialling ended
}

// accepted is a connection that another agent has dialled.
type accepted struct {
	who     caller
	known   []*x509.Certificate // the member's roots at the time of the handshake
	until   time.Time           // when its certificate expires
	session *mux.Session
}

func newSessions(d *Discovery) *sessions {
	s := &sessions{d: d, dialled: map[sessionKey]*dialled{}, accepted: map[string][]*accepted{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// connect is the connection with a member, which is dialled if there is none.
func (s *sessions) connect(ctx context.Context, key sessionKey, roots []*x509.Certificate) (*mux.Session, error) {
	own, err := s.d.opts.Certificate()
	if err != nil {
		return nil, err
	}
	c, err := s.connection(key, roots, own)
	if err != nil {
		return nil, err
	}
	select {
	case <-c.ready:
		return c.session, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// connection is the one with a member, which may still be dialled. Under another certificate of this agent's own it is
// replaced, so that a renewed one is used at once.
func (s *sessions) connection(key sessionKey, roots []*x509.Certificate, own *tls.Certificate) (*dialled, error) {
	var leaf []byte
	if len(own.Certificate) > 0 {
		leaf = own.Certificate[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, errClosed
	}
	c := s.dialled[key]
	if c != nil && bytes.Equal(c.certificate, leaf) && !c.isOver() {
		return c, nil
	}
	if c != nil {
		c.cancel()
	}
	c = &dialled{certificate: leaf, ready: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	s.dialled[key] = c
	s.running.Go(func() {
		s.dial(c, clientConfig(key.member, roots, func() (*tls.Certificate, error) { return own, nil }))
	})
	return c, nil
}

// dial dials a connection, and closes it when it is cancelled, or the other side's certificate expires.
func (s *sessions) dial(c *dialled, config *tls.Config) {
	var until time.Time
	c.session, until, c.err = s.d.dialSession(c.ctx, config)
	c.done = time.Now()
	close(c.ready)
	if c.err != nil {
		return
	}
	open := s.d.metrics.connections.WithLabelValues("out")
	open.Inc()
	defer open.Dec()
	expired := time.NewTimer(time.Until(until))
	defer expired.Stop()
	select {
	case <-c.session.Done():
	case <-c.ctx.Done():
	case <-expired.C:
	}
	c.session.Close()
}

// isOver is whether the connection has ended, or could not be dialled, and may be dialled again. All groups wait together
// before that, so that a member who is away is not dialled by each.
func (c *dialled) isOver() bool {
	select {
	case <-c.ready:
	default:
		return false
	}
	if time.Since(c.done) < redialInterval {
		return false
	}
	if c.err != nil {
		return true
	}
	select {
	case <-c.session.Done():
		return true
	default:
		return false
	}
}

// resetSilent closes the connection with a member on which nothing has come since some time, at which something was sent that
// is answered. A connection may hang for minutes after its network path was interrupted, even when the path has recovered.
func (s *sessions) resetSilent(key sessionKey, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.dialled[key]
	if c == nil {
		return
	}
	select {
	case <-c.ready:
	default:
		return
	}
	if c.err == nil && time.Since(c.done) > minAge && c.session.Received().Before(since) {
		c.cancel()
		delete(s.dialled, key)
	}
}

// admit registers an accepted connection; the oldest of a member that has too many is closed. The caller removes it.
func (s *sessions) admit(a *accepted) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return errClosed
	}
	if !s.d.trust.Load().isCurrent(a) {
		return errRejected
	}
	all := append(s.accepted[a.who.member], a)
	if len(all) > maxAccepted {
		go all[0].session.Close()
		all = all[1:]
	}
	s.accepted[a.who.member] = all
	return nil
}

func (s *sessions) remove(a *accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*accepted
	for _, other := range s.accepted[a.who.member] {
		if other != a {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(s.accepted, a.who.member)
		return
	}
	s.accepted[a.who.member] = rest
}

// prune closes the connections with whom no group has any more, or under another root.
func (s *sessions) prune(t *trust) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range s.dialled {
		if !t.keys[key] {
			c.cancel()
			delete(s.dialled, key)
		}
	}
	for _, all := range s.accepted {
		for _, a := range all {
			if !t.isCurrent(a) {
				go a.session.Close()
			}
		}
	}
}

// close closes all connections, for good.
func (s *sessions) close() {
	s.mu.Lock()
	s.cancel()
	for _, all := range s.accepted {
		for _, a := range all {
			go a.session.Close()
		}
	}
	s.mu.Unlock()
	s.running.Wait()
}
