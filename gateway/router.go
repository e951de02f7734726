package gateway

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/sni"
	"github.com/hanse-io/hanse/gateway/splice"
)

// route forwards a connection whose SNI is known. It returns when the connection has ended.
type route func(ctx context.Context, a *admission, v *pendingConn, name string)

// accept accepts connections until the listener is closed.
func (g *gateway) accept(ctx context.Context, ln net.Listener, a *admission, handle route) error {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Most likely out of file descriptors: established connections continue, and some will end.
			g.log.Error("a connection cannot be accepted", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-g.o.Clock.After(50 * time.Millisecond):
			}
			continue
		}
		v := a.add(conn)
		g.connections.Go(func() { g.handleConn(ctx, a, v, handle) })
	}
}

var headPool = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// handleConn reads the SNI of a connection and routes it.
func (g *gateway) handleConn(ctx context.Context, a *admission, v *pendingConn, handle route) {
	defer v.conn.Close()
	v.buf = headPool.Get().(*[]byte)
	defer v.releaseBuffer()
	err := v.conn.SetReadDeadline(time.Now().Add(g.o.HelloTimeout))
	var name string
	if err == nil {
		name, v.head, err = sni.Read(v.conn, *v.buf)
	}
	if err != nil {
		if reason := sniRejectReason(err); a.remove(v) {
			g.countRejected(rejectedTooMany)
		} else {
			g.countRejected(reason)
			sendAlert(v.conn, reason)
		}
		return
	}
	defer a.remove(v)
	handle(ctx, a, v, name)
}

func sniRejectReason(err error) string {
	switch {
	case errors.Is(err, sni.ErrNoName):
		return rejectedNoSNI
	case errors.Is(err, sni.ErrNotTLS), errors.Is(err, sni.ErrTooLong):
		return rejectedBadTLS
	case errors.Is(err, os.ErrDeadlineExceeded):
		return rejectedSlowHello
	}
	return rejectedNoHello
}

// fromInside routes a connection of this cluster's own pods over a line to the member that serves the name, or to a
// service of this cluster.
func (g *gateway) fromInside(ctx context.Context, a *admission, v *pendingConn, name string) {
	t := g.table.Load()
	if member, ok := t.routes.Remote[name]; ok {
		g.overLine(ctx, t, a, v, member, name)
		return
	}
	if address, ok := t.routes.Local[name]; ok {
		g.toService(ctx, a, v, address, name, within)
		return
	}
	g.countRejected(rejectedUnknownSNI)
	sendAlert(v.conn, rejectedUnknownSNI)
}

// fromLine routes a connection from a line to this cluster's own nodes, never to another line.
func (g *gateway) fromLine(ctx context.Context, a *admission, v *pendingConn, name string) {
	t := g.table.Load()
	if address, ok := t.routes.Local[name]; ok {
		g.toService(ctx, a, v, address, name, inward)
		return
	}
	if name == v1alpha1.GatewayServerName(t.routes.Member) {
		g.answerProbe(ctx, t, a, v)
		return
	}
	g.countRejected(rejectedUnknownSNI)
	sendAlert(v.conn, rejectedUnknownSNI)
}

// overLine dials the lines to a member, best first, until one succeeds.
func (g *gateway) overLine(ctx context.Context, t *table, a *admission, v *pendingConn, member, name string) {
	if !g.reserve(a, v, name) {
		return
	}
	for i, w := range t.candidates(member) {
		server, err := g.dialLine(ctx, w.Line)
		if err != nil {
			g.logLimiter.Do(func() {
				g.log.Warn("a connection over a line failed", "line", w.Name, "member", member, "error", err)
			})
			continue
		}
		if i > 0 {
			g.metrics.failovers.Inc()
		}
		g.spliceFlow(&flow{direction: outward, line: w.Name, member: member, client: v.conn.(*net.TCPConn), server: server}, v)
		return
	}
	g.countRejected(rejectedNoLine)
	sendAlert(v.conn, rejectedNoLine)
}

// toService routes a connection to a node of this cluster.
func (g *gateway) toService(ctx context.Context, a *admission, v *pendingConn, address, name string, d direction) {
	if !g.reserve(a, v, name) {
		return
	}
	server, err := g.dialService(ctx, address)
	if err != nil {
		g.logLimiter.Do(func() {
			g.log.Warn("a node of this cluster does not accept a connection", "address", address, "error", err)
		})
		g.countRejected(rejectedNoService)
		sendAlert(v.conn, rejectedNoService)
		return
	}
	g.spliceFlow(&flow{direction: d, client: v.conn.(*net.TCPConn), server: server}, v)
}

// spliceFlow copies between a flow's two connections until it ends.
func (g *gateway) spliceFlow(f *flow, v *pendingConn) {
	f.pair = splice.NewPair(f.client, f.server)
	defer f.pair.Close()
	if err := f.client.SetReadDeadline(time.Time{}); err != nil {
		return
	}
	sent, err := f.server.Write(v.head)
	if err != nil {
		return
	}
	handshakeTimer := time.AfterFunc(g.o.HandshakeTimeout, func() {
		g.metrics.closed.WithLabelValues(closedSlowHandshake).Inc()
		f.close()
	})
	defer handshakeTimer.Stop()
	f.pair.OnEstablished(v.head, func() { handshakeTimer.Stop() })
	v.releaseBuffer()
	g.flows.add(f)
	if g.table.Load().shouldClose(f) || g.drained.Load() { // its line, or we, went down while it was being dialed
		f.close()
	}
	up, down := f.pair.Run()
	g.flows.remove(f, up+down+int64(sent))
}

// reserve admits a connection to a name, or counts and reports why not.
func (g *gateway) reserve(a *admission, v *pendingConn, name string) bool {
	ok, full := a.open(v, name)
	if !ok {
		g.countRejected(rejectedTooMany)
	}
	if full {
		sendAlert(v.conn, rejectedTooMany)
		g.reportLimit(a, v)
	}
	return ok
}

func (g *gateway) countRejected(reason string) { g.metrics.rejected.WithLabelValues(reason).Inc() }

// alerts are the TLS alerts of reasons (RFC 8446, section 6), so that a client's log has more than a closed connection.
var alerts = map[string]byte{
	rejectedNoSNI:      109, // missing_extension
	rejectedUnknownSNI: 112, // unrecognized_name
	rejectedNoLine:     80,  // internal_error
	rejectedNoService:  80,
	rejectedTooMany:    80,
}

// sendAlert sends a fatal alert: seven bytes on a connection that nothing was written to, so it does not block.
func sendAlert(conn net.Conn, reason string) {
	if alert, ok := alerts[reason]; ok {
		_, _ = conn.Write([]byte{21, 3, 3, 0, 2, 2, alert})
	}
}
