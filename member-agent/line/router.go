package line

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/line/hello"
	"github.com/hanse-io/hanse/member-agent/line/relay"
)

// route takes a connection on once it has named its destination. It returns when the connection is over.
type route func(ctx context.Context, a *admission, v *visit, name string)

// accept takes connections until the listener is closed.
func (g *gateway) accept(ctx context.Context, ln net.Listener, a *admission, take route) error {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// Out of file descriptors, most likely: those who are in go on, and some will leave.
			g.log.Error("a connection cannot be taken", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-g.o.Clock.After(50 * time.Millisecond):
			}
			continue
		}
		v := a.enter(conn)
		g.connections.Go(func() { g.meet(ctx, a, v, take) })
	}
}

var heads = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// meet reads where a connection wants to go and lets it be taken there.
func (g *gateway) meet(ctx context.Context, a *admission, v *visit, take route) {
	defer v.conn.Close()
	v.buf = heads.Get().(*[]byte)
	defer v.forget()
	err := v.conn.SetReadDeadline(time.Now().Add(g.o.HelloTimeout))
	var name string
	if err == nil {
		name, v.head, err = hello.Read(v.conn, *v.buf)
	}
	if err != nil {
		if reason := helloRefusal(err); a.leave(v) {
			g.refuse(refusedTooMany)
		} else {
			g.refuse(reason)
			sayWhy(v.conn, reason)
		}
		return
	}
	defer a.leave(v)
	take(ctx, a, v, name)
}

func helloRefusal(err error) string {
	switch {
	case errors.Is(err, hello.ErrNoName):
		return refusedNoSNI
	case errors.Is(err, hello.ErrNotTLS), errors.Is(err, hello.ErrTooLong):
		return refusedBadTLS
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusedSlowHello
	}
	return refusedNoHello
}

// fromInside takes a connection of this cluster's own pods over a line to whoever serves the name, or back inside.
func (g *gateway) fromInside(ctx context.Context, a *admission, v *visit, name string) {
	t := g.table.Load()
	if member, ok := t.routes.Remote[name]; ok {
		g.overLine(ctx, t, a, v, member, name)
		return
	}
	if address, ok := t.routes.Local[name]; ok {
		g.toService(ctx, a, v, address, name, within)
		return
	}
	g.refuse(refusedUnknownSNI)
	sayWhy(v.conn, refusedUnknownSNI)
}

// fromLine takes a connection from a line to this cluster's own nodes. It never leads to another line.
func (g *gateway) fromLine(ctx context.Context, a *admission, v *visit, name string) {
	t := g.table.Load()
	if address, ok := t.routes.Local[name]; ok {
		g.toService(ctx, a, v, address, name, inward)
		return
	}
	if name == v1alpha1.GatewayServerName(t.routes.Member) {
		g.answerProbe(ctx, t, a, v)
		return
	}
	g.refuse(refusedUnknownSNI)
	sayWhy(v.conn, refusedUnknownSNI)
}

// overLine tries the lines to a member, best first, until one takes the connection.
func (g *gateway) overLine(ctx context.Context, t *table, a *admission, v *visit, member, name string) {
	if !g.take(a, v, name) {
		return
	}
	for i, w := range t.candidates(member) {
		server, err := g.dialLine(ctx, w.Line)
		if err != nil {
			g.complaints.Do(func() {
				g.log.Warn("a connection over a line failed", "line", w.Name, "member", member, "error", err)
			})
			continue
		}
		if i > 0 {
			g.metrics.failovers.Inc()
		}
		g.join(&flow{direction: outward, line: w.Name, member: member, client: v.conn.(*net.TCPConn), server: server}, v)
		return
	}
	g.refuse(refusedNoLine)
	sayWhy(v.conn, refusedNoLine)
}

// toService takes a connection to a node of this cluster.
func (g *gateway) toService(ctx context.Context, a *admission, v *visit, address, name string, d direction) {
	if !g.take(a, v, name) {
		return
	}
	server, err := g.dialService(ctx, address)
	if err != nil {
		g.complaints.Do(func() {
			g.log.Warn("a node of this cluster does not take a connection", "address", address, "error", err)
		})
		g.refuse(refusedNoService)
		sayWhy(v.conn, refusedNoService)
		return
	}
	g.join(&flow{direction: d, client: v.conn.(*net.TCPConn), server: server}, v)
}

// join lets bytes flow between a flow's two connections until it is over.
func (g *gateway) join(f *flow, v *visit) {
	f.pair = relay.NewPair(f.client, f.server)
	defer f.pair.Close()
	if err := f.client.SetReadDeadline(time.Time{}); err != nil {
		return
	}
	sent, err := f.server.Write(v.head)
	if err != nil {
		return
	}
	late := time.AfterFunc(g.o.HandshakeTimeout, func() {
		g.metrics.closed.WithLabelValues(closedSlowHandshake).Inc()
		f.close()
	})
	defer late.Stop()
	f.pair.OnEstablished(v.head, func() { late.Stop() })
	v.forget()
	g.flows.add(f)
	if g.table.Load().strands(f) || g.ended.Load() { // its line, or we, went down while it was being dialed
		f.close()
	}
	up, down := f.pair.Run()
	g.flows.remove(f, up+down+int64(sent))
}

// take lets a connection be passed on to a name, or notes why not.
func (g *gateway) take(a *admission, v *visit, name string) bool {
	ok, full := a.take(v, name)
	if !ok {
		g.refuse(refusedTooMany)
	}
	if full {
		sayWhy(v.conn, refusedTooMany)
		g.full(a, v)
	}
	return ok
}

func (g *gateway) refuse(reason string) { g.metrics.refused.WithLabelValues(reason).Inc() }

// alerts are what TLS has to say for a reason (RFC 8446, section 6), so that a client's log tells more than that the
// connection was closed.
var alerts = map[string]byte{
	refusedNoSNI:      109, // missing_extension
	refusedUnknownSNI: 112, // unrecognized_name
	refusedNoLine:     80,  // internal_error
	refusedNoService:  80,
	refusedTooMany:    80,
}

// sayWhy sends a fatal alert. It is seven bytes on a connection that nothing was written to, so it does not wait.
func sayWhy(conn net.Conn, reason string) {
	if alert, ok := alerts[reason]; ok {
		_, _ = conn.Write([]byte{21, 3, 3, 0, 2, 2, alert})
	}
}
