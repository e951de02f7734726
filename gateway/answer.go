package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway/probe"
)

// answerProbe terminates a far gateway's probe. Until it is authenticated it counts as half-open.
func (g *gateway) answerProbe(ctx context.Context, t *table, a *admission, v *pendingConn) {
	config, err := g.serverTLS(t)
	if err != nil {
		g.log.Error("probes cannot be answered", "error", err)
		g.countRejected(rejectedNoProof)
		return
	}
	// The deadline for the hello applies to the whole handshake, for writing too.
	handshakeCtx, cancel := context.WithTimeout(ctx, g.o.HelloTimeout)
	defer cancel()
	conn := tls.Server(&replayConn{Conn: v.conn, reader: io.MultiReader(bytes.NewReader(v.head), v.conn)}, config)
	if err := conn.HandshakeContext(handshakeCtx); err != nil {
		g.log.Debug("a probe was rejected", "from", v.conn.RemoteAddr().String(), "error", err)
		g.countRejected(rejectedNoProof)
		return
	}
	member, err := t.authenticate(conn.ConnectionState())
	if err != nil || !a.authenticate(v, member) {
		g.countRejected(rejectedNoProof)
		return
	}
	defer a.deauthenticate(v, member)
	f := &flow{direction: probing, member: member, client: v.conn.(*net.TCPConn)}
	g.flows.add(f)
	defer g.flows.remove(f, 0)
	if g.flows.probes(member) > maxProbes {
		g.countRejected(rejectedTooMany)
		return
	}
	if g.stopping.Load() {
		return
	}
	root := t.routes.Roots[member]
	_ = probe.Answer(ctx, conn, member, g.lineStateFor, func() bool { return g.table.Load().routes.Roots[member] == root })
}

// maxProbes bounds the probe connections of one authenticated member.
const maxProbes = 64

// lineStateFor is the state of a line to a member at this gateway.
func (g *gateway) lineStateFor(line, member string) v1alpha1.LineState {
	if w, ok := g.table.Load().line(line); ok && w.Member == member {
		return w.State
	}
	return v1alpha1.LineUnknown
}

// replayConn is a connection whose first bytes were read already and are read again.
type replayConn struct {
	net.Conn
	reader io.Reader
}

func (r *replayConn) Read(b []byte) (int, error) { return r.reader.Read(b) }
