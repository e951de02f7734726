package fabrictest

import (
	"context"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Detour is a way from one Member's nodes to another Member's orderer that can be cut as a line can: what is sent is lost, and
// nobody is told.
type Detour struct {
	listener net.Listener
	dial     func(ctx context.Context) (net.Conn, error)
	tasks    sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	lost  int
	conns map[net.Conn]struct{}
}

// Detour leads one Member's nodes to another's first orderer by a way that can be cut. It is to be called before Start, for a node
// goes on by the addresses that it has read.
func (n *Network) Detour(from, to *Member) (*Detour, error) {
	host := v1alpha1.NodeHost("orderer0-"+to.Plan.Spec.Member, to.Plan.Spec.Consortium)
	address := net.JoinHostPort(host, strconv.Itoa(v1alpha1.PortOrderer))
	at := net.IPv4(127, 78, byte(from.number), byte(to.number)).String()
	listener, err := net.Listen("tcp", net.JoinHostPort(at, strconv.Itoa(v1alpha1.PortOrderer)))
	if err != nil {
		return nil, err
	}
	if n.detours == nil {
		n.detours = map[string]map[string]string{}
	}
	if n.detours[from.Plan.Spec.Member] == nil {
		n.detours[from.Plan.Spec.Member] = map[string]string{}
	}
	n.detours[from.Plan.Spec.Member][host] = at
	d := &Detour{
		listener: listener, conns: map[net.Conn]struct{}{},
		dial: func(ctx context.Context) (net.Conn, error) { return n.Dial(ctx, address) },
	}
	d.tasks.Go(d.accept)
	return d, n.writeHosts()
}

// Cut loses what is sent from now on.
func (d *Detour) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
}

// Restore ends the cut, and the connections that were there, as gateways do. lost is how many bytes were.
func (d *Detour) Restore() (lost int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = false
	for conn := range d.conns {
		conn.Close()
	}
	return d.lost
}

// Close ends the detour.
func (d *Detour) Close() {
	d.listener.Close()
	d.Restore()
	d.tasks.Wait()
}

func (d *Detour) accept() {
	for {
		near, err := d.listener.Accept()
		if err != nil {
			return
		}
		far, err := d.dial(context.Background())
		if err != nil {
			near.Close()
			continue
		}
		d.mu.Lock()
		d.conns[near], d.conns[far] = struct{}{}, struct{}{}
		d.mu.Unlock()
		d.tasks.Go(func() { d.carry(near, far) })
		d.tasks.Go(func() { d.carry(far, near) })
	}
}

// carry copies until an end is closed.
func (d *Detour) carry(from, to net.Conn) {
	defer func() {
		from.Close()
		to.Close()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.conns, from)
	}()
	_, _ = io.Copy(writer(func(b []byte) (int, error) {
		if d.loses(b) {
			return len(b), nil
		}
		return to.Write(b)
	}), from)
}

func (d *Detour) loses(b []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		d.lost += len(b)
	}
	return d.cut
}

type writer func(b []byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
