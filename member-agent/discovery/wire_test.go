package discovery

import (
	"context"
	"net"
	"os"
	"sync"
	"time"
)

// wire is a connection that can hang, as over a line that is cut somewhere on the way: nobody is told, and what was
// written before goes through if the line comes back in time.
type wire struct {
	net.Conn
	hangs func() bool

	mu       sync.Mutex
	closed   bool
	deadline time.Time
}

func (w *wire) Write(p []byte) (int, error) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for w.hangs() {
		<-ticker.C
		w.mu.Lock()
		closed, late := w.closed, !w.deadline.IsZero() && time.Now().After(w.deadline)
		w.mu.Unlock()
		if closed {
			return 0, net.ErrClosed
		}
		if late {
			return 0, os.ErrDeadlineExceeded
		}
	}
	return w.Conn.Write(p)
}

func (w *wire) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	return w.Conn.Close()
}

func (w *wire) SetDeadline(t time.Time) error {
	w.noteDeadline(t)
	return w.Conn.SetDeadline(t)
}

func (w *wire) SetWriteDeadline(t time.Time) error {
	w.noteDeadline(t)
	return w.Conn.SetWriteDeadline(t)
}

func (w *wire) noteDeadline(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
}

// dialler is how the agent of a member reaches others: by lines that can be cut.
func (f *testbed) dialler(from string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, serverName string) (net.Conn, error) {
		conn, err := f.dial(ctx, serverName)
		if err != nil {
			return nil, err
		}
		return &wire{Conn: conn, hangs: func() bool { return f.isDisconnected(from, serverName) }}, nil
	}
}
