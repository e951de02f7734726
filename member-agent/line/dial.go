package line

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hanse-io/hanse/member-agent/line/relay"
)

// keepAlive notices an end that is gone while nothing is sent.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// dialLine connects to the far end of a line.
func (g *gateway) dialLine(ctx context.Context, l Line) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: g.o.LineDialTimeout, KeepAliveConfig: keepAlive, ControlContext: g.checkFarEnd}
	d.SetMultipathTCP(false)
	conn, err := d.DialContext(ctx, "tcp", farEnd(l))
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	if err := relay.SetUserTimeout(tcp, g.o.UserTimeout); err != nil {
		tcp.Close()
		return nil, err
	}
	return tcp, nil
}

// farEnd is a line's address to dial. A name is absolute, so that no search list leads it into this cluster.
func farEnd(l Line) string {
	host := l.Address
	if _, err := netip.ParseAddr(host); err != nil && !strings.HasSuffix(host, ".") {
		host += "."
	}
	return net.JoinHostPort(host, strconv.Itoa(int(l.Port)))
}

// checkFarEnd refuses names that resolve to an address that no line can end at.
func (g *gateway) checkFarEnd(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read the resolved address %q: %w", address, err)
	}
	return g.o.lineAllowed(to.Addr())
}

// dialService connects to a node or the agent in this cluster.
func (g *gateway) dialService(ctx context.Context, address string) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: g.o.ServiceDialTimeout, KeepAliveConfig: keepAlive}
	d.SetMultipathTCP(false)
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
