package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hanse-io/hanse/member-agent/discovery/mux"
)

const (
	// dialTimeout bounds connecting to a member, and opening a stream to it; handshakeTimeout bounds the TLS handshake of an
	// incoming connection, and the handshake of a stream.
	dialTimeout      = 4 * time.Second
	handshakeTimeout = 5 * time.Second
	// maxHandshakes is the number of concurrent incoming handshakes.
	maxHandshakes = 128
	// acceptRetry is the delay after an error of the listener, such as too many open files.
	acceptRetry = 100 * time.Millisecond
)

// serve accepts connections until the context ends.
func (d *Discovery) serve(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	stop := context.AfterFunc(ctx, func() { _ = d.opts.Listener.Close() })
	defer stop()
	slots := make(chan struct{}, maxHandshakes)
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
			sleep(ctx, acceptRetry)
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			d.metrics.refused.WithLabelValues("too_many").Inc()
			_ = conn.Close()
			continue
		}
		running.Go(func() {
			a := d.handshake(ctx, conn)
			<-slots
			if a != nil {
				d.serveSession(ctx, a)
			}
		})
	}
}

// handshake authenticates the client of a connection.
func (d *Discovery) handshake(ctx context.Context, raw net.Conn) *accepted {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	trust := d.trust.Load()
	conn := tls.Server(raw, trust.serverConfig(d.opts.Certificate))
	if err := conn.HandshakeContext(ctx); err != nil {
		d.reject(raw, "tls", err)
		return nil
	}
	who, err := trust.identify(conn.ConnectionState())
	if err != nil {
		d.reject(raw, "unauthenticated", err)
		return nil
	}
	session, err := mux.Server(conn)
	if err != nil {
		d.reject(raw, "tls", err)
		return nil
	}
	a := &accepted{who: who, known: trust.roots[who.member], until: expiry(conn.ConnectionState()), session: session}
	if !stop() {
		session.Close()
		return nil
	}
	if err := d.sessions.admit(a); err != nil {
		session.Close()
		d.reject(raw, "unauthenticated", err)
		return nil
	}
	return a
}

func (d *Discovery) reject(conn net.Conn, reason string, err error) {
	d.metrics.refused.WithLabelValues(reason).Inc()
	d.log.V(1).Info("gossip connection rejected", "reason", reason, "error", err.Error())
	_ = conn.Close()
}

// dialSession connects to a member's agent. The time is when its certificate expires.
func (d *Discovery) dialSession(ctx context.Context, config *tls.Config) (*mux.Session, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := d.opts.Dial(ctx, config.ServerName)
	if err != nil {
		return nil, time.Time{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn := tls.Client(raw, config)
	err = conn.HandshakeContext(ctx)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	var session *mux.Session
	if err == nil {
		session, err = mux.Client(conn)
	}
	if err != nil {
		_ = raw.Close()
		return nil, time.Time{}, fmt.Errorf("connect to %s: %w", config.ServerName, err)
	}
	return session, expiry(conn.ConnectionState()), nil
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
