package splice

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanse-io/hanse/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// connected is both ends of a TCP connection over loopback.
func connected(t testing.TB) (a, b *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	accepted, err := ln.Accept()
	must(t, err)
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return dialed.(*net.TCPConn), accepted.(*net.TCPConn)
}

type joined struct {
	client, server *net.TCPConn
	pair           *Pair
	done           chan struct{}
	ab, ba         int64
}

// join puts a running Pair between a client and a server.
func join(t testing.TB) *joined {
	t.Helper()
	client, a := connected(t)
	b, server := connected(t)
	j := &joined{client: client, server: server, pair: NewPair(a, b), done: make(chan struct{})}
	go func() {
		defer close(j.done)
		j.ab, j.ba = j.pair.Run()
	}()
	t.Cleanup(func() { j.pair.Close(); <-j.done })
	return j
}

func (j *joined) wait(t testing.TB) {
	t.Helper()
	select {
	case <-j.done:
	case <-time.After(time.Minute):
		t.Fatal("the pair goes on")
	}
}

func TestBothWaysWithHalfClose(t *testing.T) {
	j := join(t)
	question, answer := make([]byte, 3<<20), make([]byte, 5<<20)
	_, _ = rand.Read(question)
	_, _ = rand.Read(answer)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		_, _ = j.client.Write(question)
		_ = j.client.CloseWrite()
	})
	heard, err := io.ReadAll(j.server) // ends by the client's half-close, passed on
	must(t, err)
	tasks.Go(func() {
		_, _ = j.server.Write(answer)
		_ = j.server.Close()
	})
	back, err := io.ReadAll(j.client)
	must(t, err)
	tasks.Wait()
	if !bytes.Equal(heard, question) || !bytes.Equal(back, answer) {
		t.Error("what arrived is not what was sent")
	}
	j.wait(t)
	if j.ab != int64(len(question)) || j.ba != int64(len(answer)) {
		t.Errorf("%d and %d bytes counted, want %d and %d", j.ab, j.ba, len(question), len(answer))
	}
}

func TestResetEndsBoth(t *testing.T) {
	j := join(t)
	must(t, j.client.SetLinger(0))
	must(t, j.client.Close())
	must(t, j.server.SetReadDeadline(time.Now().Add(time.Minute)))
	if _, err := io.Copy(io.Discard, j.server); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	j.wait(t)
}

func TestCloseEndsAnIdlePair(t *testing.T) {
	j := join(t)
	j.pair.Close()
	j.wait(t)
}

func TestIdlePairHoldsNoPipe(t *testing.T) {
	j := join(t)
	_, err := j.client.Write([]byte("x"))
	must(t, err)
	_, err = io.ReadFull(j.server, make([]byte, 1))
	must(t, err)
	if testing.AllocsPerRun(100, func() { echo(t, j, 1000) }) > 4 {
		t.Error("bytes that are passed on cost memory")
	}
}

func echo(t testing.TB, j *joined, n int) {
	buf := make([]byte, n)
	_, err := j.client.Write(buf)
	must(t, err)
	_, err = io.ReadFull(j.server, buf)
	must(t, err)
}

func TestKeepAliveIsInherited(t *testing.T) {
	config := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error { return KeepAlive(c, 7*time.Second) }}
	ln, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	defer dialed.Close()
	accepted, err := ln.Accept()
	must(t, err)
	defer accepted.Close()
	raw, err := accepted.(*net.TCPConn).SyscallConn()
	must(t, err)
	const userTimeout = 18 // TCP_USER_TIMEOUT
	must(t, raw.Control(func(fd uintptr) {
		for name, c := range map[string]struct{ level, option, want int }{
			"SO_KEEPALIVE":     {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			"TCP_NODELAY":      {syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
			"TCP_KEEPIDLE":     {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
			"TCP_USER_TIMEOUT": {syscall.IPPROTO_TCP, userTimeout, 7000},
		} {
			if got, err := syscall.GetsockoptInt(int(fd), c.level, c.option); err != nil || got != c.want {
				t.Errorf("%s is %d (%v), want %d", name, got, err, c.want)
			}
		}
	}))
}

func BenchmarkPingPong(b *testing.B) {
	for name, between := range map[string]func() (*net.TCPConn, *net.TCPConn){
		"direct": func() (*net.TCPConn, *net.TCPConn) { return connected(b) },
		"relay":  func() (*net.TCPConn, *net.TCPConn) { j := join(b); return j.client, j.server },
	} {
		b.Run(name, func(b *testing.B) {
			client, server := between()
			go func() { _, _ = io.Copy(struct{ io.Writer }{server}, struct{ io.Reader }{server}) }()
			buf := make([]byte, 1<<10)
			b.ReportAllocs()
			for b.Loop() {
				_, err := client.Write(buf)
				must(b, err)
				_, err = io.ReadFull(client, buf)
				must(b, err)
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
