package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hanse-io/hanse/member-agent/discovery/mux"
)

const (
	// maxGreetings is how many streams of one connection may be in their handshake at a time; the next ones wait.
	maxGreetings = 16
	// opensPerSecond and openBurst are how many streams one connection may open, whatever they are for; the next ones wait.
	// An honest member needs two for each group when it starts, and one every few seconds afterwards.
	opensPerSecond = 200
	openBurst      = 1000
	// spareStreams is how many streams a connection may have beyond those of the groups in common. With mux.Window for each it
	// bounds what a member can have stored here.
	spareStreams = 2 * maxGreetings
)

var (
	errNotInGroup     = errors.New("no group of that name with the client's root")
	errTooManyStreams = errors.New("more streams than the groups in common need")
)

// serveSession accepts a connection's streams until it ends, or the member's certificate expires.
func (d *Discovery) serveSession(ctx context.Context, a *accepted) {
	defer d.sessions.remove(a)
	ctx, cancel := context.WithDeadline(ctx, a.until)
	defer cancel()
	defer context.AfterFunc(ctx, a.session.Close)()
	open := d.metrics.connections.WithLabelValues("in")
	open.Inc()
	defer open.Dec()
	var greetings sync.WaitGroup
	defer greetings.Wait()
	slots := make(chan struct{}, maxGreetings)
	opens := rate.NewLimiter(opensPerSecond, openBurst)
	for {
		conn, err := a.session.Accept()
		if err != nil {
			return
		}
		if n := a.session.Streams(); n > spareStreams && n > d.maxStreamsOf(a.who) {
			d.metrics.refused.WithLabelValues("too_many").Inc()
			d.log.V(1).Info("gossip connection closed", "member", a.who.member, "error", errTooManyStreams.Error())
			a.session.Close()
			return
		}
		if opens.Wait(ctx) != nil {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		greetings.Go(func() {
			defer func() { <-slots }()
			d.greet(conn, a.who)
		})
	}
}

// greet reads what a stream is for, and passes it to the group's transport. A group that the caller is not in gets the same
// answer as one that does not exist.
func (d *Discovery) greet(conn net.Conn, who caller) {
	_ = conn.SetDeadline(time.Now().Add(handshakeTimeout))
	k, name, err := readHandshake(conn)
	if err != nil {
		d.reject(conn, "handshake", err)
		return
	}
	t := d.transportFor(name, who)
	if t == nil {
		d.reject(conn, "group", fmt.Errorf("%w: %s asks for %q", errNotInGroup, who.member, name))
		return
	}
	_ = conn.SetDeadline(time.Time{})
	if err := t.admit(conn, who.member, k); err != nil {
		d.reject(conn, "too_many", err)
	}
}

// maxStreamsOf is how many streams a caller can need: its packets, and exchanges that begin while others end.
func (d *Discovery) maxStreamsOf(who caller) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := spareStreams
	for _, r := range d.groups {
		if who.chainsTo(r.rootsOf(who.member)) {
			n += 2 + maxStreams
		}
	}
	return n
}

// openStream opens a stream for a group to a member, accepted by the other side.
func (d *Discovery) openStream(ctx context.Context, p *peer, k kind, group string) (mux.Stream, error) {
	session, err := d.sessions.connect(ctx, p.key(), p.roots)
	if err != nil {
		return nil, err
	}
	conn, err := session.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	answer := make([]byte, 1)
	if err = writeHandshake(conn, k, group); err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err == nil && answer[0] != ack {
		err = errHandshake
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("connect to %s: %w", p.name, err)
	}
	return conn, nil
}
