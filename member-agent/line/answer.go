package line

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/line/probe"
)

// answerProbe ends a far gateway's probe here. Until the other end has proven who it is, it counts as half-open.
func (g *gateway) answerProbe(ctx context.Context, t *table, a *admission, v *visit) {
	config, err := g.serverTLS(t)
	if err != nil {
		g.log.Error("probes cannot be answered", "error", err)
		g.refuse(refusedNoProof)
		return
	}
	// The deadline for the hello goes on for the whole handshake, and binds writing too.
	shake, cancel := context.WithTimeout(ctx, g.o.HelloTimeout)
	defer cancel()
	conn := tls.Server(&replayed{Conn: v.conn, reader: io.MultiReader(bytes.NewReader(v.head), v.conn)}, config)
	if err := conn.HandshakeContext(shake); err != nil {
		g.log.Debug("a probe was refused", "from", v.conn.RemoteAddr().String(), "error", err)
		g.refuse(refusedNoProof)
		return
	}
	member, err := t.prove(conn.ConnectionState())
	if err != nil || !a.prove(v, member) {
		g.refuse(refusedNoProof)
		return
	}
	defer a.unprove(v, member)
	f := &flow{direction: probing, member: member, client: v.conn.(*net.TCPConn)}
	g.flows.add(f)
	defer g.flows.remove(f, 0)
	if g.flows.probes(member) > maxProbes {
		g.refuse(refusedTooMany)
		return
	}
	if g.stopping.Load() {
		return
	}
	root := t.routes.Roots[member]
	_ = probe.Answer(ctx, conn, member, g.view, func() bool { return g.table.Load().routes.Roots[member] == root })
}

// maxProbes bounds the probe connections of one member, proven as it is.
const maxProbes = 64

// view is how this gateway finds a line to a member.
func (g *gateway) view(line, member string) v1alpha1.LineState {
	if w, ok := g.table.Load().line(line); ok && w.Member == member {
		return w.State
	}
	return v1alpha1.LineUnknown
}

// replayed reads what was read already once more.
type replayed struct {
	net.Conn
	reader io.Reader
}

func (r *replayed) Read(b []byte) (int, error) { return r.reader.Read(b) }
