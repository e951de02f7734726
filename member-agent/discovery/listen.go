package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// callTimeout is how long it may take to reach a member and be let in; greetTimeout how long a caller may take to
	// prove who it is and say what it wants.
	callTimeout  = 4 * time.Second
	greetTimeout = 5 * time.Second
	// maxStrangers is the number of callers that may be proving who they are at a time.
	maxStrangers = 128
	// acceptPause follows an error of the listener, such as too many open files.
	acceptPause = 100 * time.Millisecond
)

var errNoRing = errors.New("no ring of that name in which the caller is known by that root")

// serve takes calls until the context ends.
func (d *Discovery) serve(ctx context.Context) error {
	var greetings sync.WaitGroup
	defer greetings.Wait()
	stop := context.AfterFunc(ctx, func() { _ = d.opts.Listener.Close() })
	defer stop()
	places := make(chan struct{}, maxStrangers)
	for {
		conn, err := d.opts.Listener.Accept()
		switch {
		case ctx.Err() != nil:
			if conn != nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("gossip listener: %w", err)
		case err != nil:
			d.log.V(1).Info("accept failed", "error", err.Error())
			pause(ctx, acceptPause)
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			d.metrics.refused.WithLabelValues("too_many").Inc()
			_ = conn.Close()
			continue
		}
		greetings.Go(func() {
			defer func() { <-places }()
			d.greet(ctx, conn)
		})
	}
}

// greet finds out who calls and for which ring, and hands the connection over.
func (d *Discovery) greet(ctx context.Context, raw net.Conn) {
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	refuse := func(reason string, err error) {
		d.metrics.refused.WithLabelValues(reason).Inc()
		d.log.V(1).Info("gossip connection refused", "reason", reason, "error", err.Error())
		_ = raw.Close()
	}
	trust := d.trust.Load()
	conn := tls.Server(raw, trust.serverConfig(d.opts.Certificate))
	if err := conn.HandshakeContext(ctx); err != nil {
		refuse("tls", err)
		return
	}
	who, err := trust.identify(conn.ConnectionState())
	if err != nil {
		refuse("stranger", err)
		return
	}
	k, name, err := readGreeting(conn)
	if err != nil {
		refuse("greeting", err)
		return
	}
	t := d.find(name, who)
	if t == nil {
		refuse("ring", fmt.Errorf("%w: %s asks for %q", errNoRing, who.member, name))
		return
	}
	if !stop() {
		return
	}
	if err := t.admit(conn, who.member, k); err != nil {
		refuse("too_many", err)
	}
}

// call reaches a member's agent and is let in.
func (d *Discovery) call(ctx context.Context, config *tls.Config, k kind, ring string) (net.Conn, error) {
	raw, err := d.opts.Dial(ctx, config.ServerName)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn := tls.Client(raw, config)
	answer := make([]byte, 1)
	if err = conn.HandshakeContext(ctx); err == nil {
		err = writeGreeting(conn, k, ring)
	}
	if err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err == nil && answer[0] != welcome {
		err = errGreeting
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("call %s: %w", config.ServerName, err)
	}
	return conn, nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
