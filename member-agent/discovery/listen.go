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
	// dialTimeout bounds connecting to a member including its handshake; handshakeTimeout bounds the TLS and the group
	// handshake of an incoming connection.
	dialTimeout      = 4 * time.Second
	handshakeTimeout = 5 * time.Second
	// maxHandshakes is the number of concurrent incoming handshakes.
	maxHandshakes = 128
	// acceptRetry is the delay after an error of the listener, such as too many open files.
	acceptRetry = 100 * time.Millisecond
)

var errNotInGroup = errors.New("no group of that name with the client's root")

// serve accepts connections until the context ends.
func (d *Discovery) serve(ctx context.Context) error {
	var handshakes sync.WaitGroup
	defer handshakes.Wait()
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
		handshakes.Go(func() {
			defer func() { <-slots }()
			d.handshake(ctx, conn)
		})
	}
}

// handshake authenticates the client, reads the group's name, and passes the connection to the group's transport.
func (d *Discovery) handshake(ctx context.Context, raw net.Conn) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	reject := func(reason string, err error) {
		d.metrics.refused.WithLabelValues(reason).Inc()
		d.log.V(1).Info("gossip connection rejected", "reason", reason, "error", err.Error())
		_ = raw.Close()
	}
	trust := d.trust.Load()
	conn := tls.Server(raw, trust.serverConfig(d.opts.Certificate))
	if err := conn.HandshakeContext(ctx); err != nil {
		reject("tls", err)
		return
	}
	who, err := trust.identify(conn.ConnectionState())
	if err != nil {
		reject("stranger", err)
		return
	}
	k, name, err := readHandshake(conn)
	if err != nil {
		reject("greeting", err)
		return
	}
	t := d.transportFor(name, who)
	if t == nil {
		reject("ring", fmt.Errorf("%w: %s asks for %q", errNotInGroup, who.member, name))
		return
	}
	if !stop() {
		return
	}
	if err := t.admit(conn, who.member, k); err != nil {
		reject("too_many", err)
	}
}

// dialGroup connects to a member's agent and completes the handshake.
func (d *Discovery) dialGroup(ctx context.Context, config *tls.Config, k kind, group string) (net.Conn, error) {
	raw, err := d.opts.Dial(ctx, config.ServerName)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn := tls.Client(raw, config)
	answer := make([]byte, 1)
	if err = conn.HandshakeContext(ctx); err == nil {
		err = writeHandshake(conn, k, group)
	}
	if err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err == nil && answer[0] != ack {
		err = errHandshake
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connect to %s: %w", config.ServerName, err)
	}
	return conn, nil
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
