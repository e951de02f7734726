package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hanse-io/hanse/gateway/splice"
	"github.com/hanse-io/hanse/internal/routing"
)

// dialLine connects to the far end of a line.
func (g *gateway) dialLine(ctx context.Context, l routing.Line) (*net.TCPConn, error) {
	d := dialer(g.o.LineDialTimeout)
	d.ControlContext = func(_ context.Context, _, address string, c syscall.RawConn) error {
		if err := g.checkFarEnd(l, address); err != nil {
			return err
		}
		return splice.KeepAlive(c, g.o.UserTimeout)
	}
	return dial(ctx, d, farEnd(l))
}

// farEnd is a line's address to dial. A name is absolute, so that no search list resolves it in this cluster.
func farEnd(l routing.Line) string {
	host := l.Address
	if _, err := netip.ParseAddr(host); err != nil && !strings.HasSuffix(host, ".") {
		host += "."
	}
	return net.JoinHostPort(host, strconv.Itoa(int(l.Port)))
}

// checkFarEnd checks the resolved address that is dialed, so that a later change of the name's address is checked too.
func (g *gateway) checkFarEnd(l routing.Line, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read the resolved address %q: %w", address, err)
	}
	if err := g.o.lineAllowed(to.Addr()); err != nil {
		return notAllowed(err)
	}
	return g.o.access.check(l.Address, to.Addr(), g.table.Load().own)
}

// dialService connects to a node or the agent in this cluster.
func (g *gateway) dialService(ctx context.Context, address string) (*net.TCPConn, error) {
	d := dialer(g.o.ServiceDialTimeout)
	d.ControlContext = func(_ context.Context, _, _ string, c syscall.RawConn) error { return splice.KeepAlive(c, 0) }
	return dial(ctx, d, address)
}

func dialer(timeout time.Duration) *net.Dialer {
	d := &net.Dialer{Timeout: timeout, KeepAlive: -1} // splice.KeepAlive sets it, at less cost
	d.SetMultipathTCP(false)
	return d
}

func dial(ctx context.Context, d *net.Dialer, address string) (*net.TCPConn, error) {
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
