package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"k8s.io/utils/clock"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/health"
)

const (
	// Interval between probes of a line. MissesUntilDown of them are missed, after one that was answered, when a line counts as
	// down: within 1.2 s. Answers may be longer on their way than an interval.
	Interval = 300 * time.Millisecond
	// connectTimeout bounds dialing and handshake together.
	connectTimeout = 3 * time.Second
	// maxSilent is how many intervals may go by without an answer before the connection is closed: TCP's retransmission
	// intervals grow, so that it would detect a recovered line late. There is one interval left then to reach another gateway
	// of the far member before the line counts as down, for the one that was asked may have gone with its node.
	maxSilent = health.MissesUntilDown - 1
	// maxSilentAtFirst is the same of a connection on which nothing was answered yet: a line's round trip may be longer than
	// maxSilent intervals.
	maxSilentAtFirst = int(connectTimeout / Interval)
)

// ErrNotAllowed is the error of Dial for an address that the own organization does not allow.
var ErrNotAllowed = errors.New("not allowed")

// Prober probes the far gateway of one line.
type Prober struct {
	// Line is the line's name, the same at both ends.
	Line string
	// Dial connects to the line's far end.
	Dial func(context.Context) (net.Conn, error)
	// TLS is the client's configuration, called for each handshake.
	TLS func() (*tls.Config, error)
	// Clock is the source of time.
	Clock clock.WithTicker
	// Changed is called with the line's state after each probe, and whether that has changed.
	Changed func(s health.Snapshot, changed bool)

	line       *health.Tracker
	session    *session
	connecting bool
	answered   bool // since the last tick
	silent     int  // intervals of the session without an answer, until now
	reason     v1alpha1.LineReason
	why        string
	events     chan event
	tasks      sync.WaitGroup
}

// Run probes until ctx ends.
func (p *Prober) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	p.line = health.New(p.Clock.Now())
	p.events = make(chan event)
	tick := p.Clock.NewTicker(Interval)
	defer func() {
		tick.Stop()
		cancel()
		p.drop()
		p.tasks.Wait()
	}()
	p.connect(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C():
			p.tick(ctx)
		case e := <-p.events:
			p.handle(ctx, e)
		}
	}
}

// tick ends one interval and begins the next.
func (p *Prober) tick(ctx context.Context) {
	if !p.answered {
		reason, why := p.reason, p.why
		if why == "" {
			reason, why = v1alpha1.LineUnreachable, noAnswerMessage
		}
		p.notify(p.line.Missed(p.Clock.Now(), reason, why))
	}
	p.answered = false
	p.silent++
	if p.session != nil && (p.silent > maxSilentAtFirst || p.session.proven && p.silent > maxSilent) {
		p.drop()
	}
	if p.session == nil {
		p.connect(ctx)
		return
	}
	p.ping()
}

func (p *Prober) handle(ctx context.Context, e event) {
	switch {
	case e.made:
		p.connecting = false
		if e.err != nil {
			p.onFailure(e.err)
			return
		}
		p.session, p.silent = e.session, 0
		p.run(func() { e.session.receive(p.Clock.Now, func(e event) { p.send(ctx, e) }) })
		p.ping()
	case e.session != p.session:
		// The event of a closed connection.
	case e.err != nil:
		proven := p.session.proven
		p.drop()
		if !proven { // with TLS 1.3 the far end's rejection of our certificate comes after our side of the handshake
			p.onFailure(&handshakeError{e.err})
			return
		}
		p.setDown(v1alpha1.LineUnreachable, "the far gateway ended the probe's connection: %v", e.err)
		p.connect(ctx)
	default:
		if rtt, ok := p.session.onPong(e.nonce, e.at); ok {
			p.answered, p.silent, p.session.proven, p.reason, p.why = true, 0, true, "", ""
			p.notify(p.line.Answered(p.Clock.Now(), rtt, e.state))
		}
	}
}

// onFailure handles a failed connection attempt.
func (p *Prober) onFailure(err error) {
	var handshake *handshakeError
	var timeout net.Error
	switch {
	case errors.Is(err, ErrNotAllowed):
		p.setDown(v1alpha1.LineNotAllowed, "the line's far end is not dialed: %v", err)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		p.setDown(v1alpha1.LineUnreachable, noAnswerMessage)
	case errors.As(err, &handshake):
		p.setDown(v1alpha1.LineNotAuthenticated, "the far gateway does not prove who it is, or does not accept us: %v", err)
		p.notify(p.line.Rejected(p.Clock.Now(), p.reason, p.why))
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		p.setDown(v1alpha1.LineUnreachable, "connection refused at the line's far end: %v", err)
		p.notify(p.line.Rejected(p.Clock.Now(), p.reason, p.why))
	default:
		p.setDown(v1alpha1.LineUnreachable, "the far gateway cannot be reached: %v", err)
	}
}

const noAnswerMessage = "the far gateway does not answer: check the network path of the line, its address and the firewalls"

// setDown sets why there is no answer: a reason and a message.
func (p *Prober) setDown(reason v1alpha1.LineReason, format string, args ...any) {
	p.reason, p.why = reason, fmt.Sprintf(format, args...)
}

func (p *Prober) ping() {
	if err := p.session.ping(p.Line, p.Clock.Now(), Interval); err != nil {
		p.setDown(v1alpha1.LineUnreachable, "the probe's connection broke: %v", err)
		p.drop()
	}
}

func (p *Prober) connect(ctx context.Context) {
	if p.connecting {
		return
	}
	p.connecting = true
	p.run(func() {
		attempt, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		made := event{made: true}
		config, err := p.TLS()
		if err == nil {
			made.session, err = connect(attempt, p.Dial, config)
		}
		made.err = err
		if !p.send(ctx, made) && made.session != nil {
			made.session.conn.Close()
		}
	})
}

// send sends an event to Run, unless that has ended.
func (p *Prober) send(ctx context.Context, e event) bool {
	select {
	case p.events <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *Prober) notify(changed bool) { p.Changed(p.line.Snapshot(), changed) }

func (p *Prober) drop() {
	if p.session != nil {
		p.session.conn.NetConn().Close() // without close_notify, which could block on a broken line
		p.session = nil
	}
}

func (p *Prober) run(task func()) { p.tasks.Go(task) }

// handshakeError is an error after the TCP connection was established.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }
