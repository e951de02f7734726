//go:build integration

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// testTimeout is how long anything may take on a machine that is busy with other things.
const testTimeout = 2 * time.Minute

// eventually waits for a condition, and says what was last amiss if it does not come.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, testTimeout, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

// session is the plugin at a terminal of its own.
type session struct {
	interrupt context.CancelFunc
	done      chan error

	mu      sync.Mutex
	written strings.Builder
	more    chan struct{}
}

// watches runs the plugin at a terminal until it ends or the test does.
func (p person) watches(t *testing.T, args ...string) *session {
	t.Helper()
	screen, terminal := newTerminal(t)
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{interrupt: cancel, done: make(chan error, 1), more: make(chan struct{}, 1)}
	root := command()
	root.SetOut(terminal)
	root.SetArgs(append([]string{"--kubeconfig", p.kubeconfig}, args...))
	go func() { s.done <- root.ExecuteContext(ctx) }()
	go func() { _, _ = io.Copy(s, screen) }()
	t.Cleanup(cancel)
	return s
}

func (s *session) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.written.Write(text)
}

const redraw = "\x1b[J"

func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.written.String(), "\r\n", "\n")
}

func (s *session) redraws() int { return strings.Count(s.text(), redraw) }

// visible is what stands on the screen.
func (s *session) visible() string {
	text := s.text()
	return text[strings.LastIndex(text, redraw)+1:]
}

// until waits until what is on the screen is as it should be.
func (s *session) until(t *testing.T, what string, holds func(visible string) bool) {
	t.Helper()
	deadline := time.After(testTimeout)
	for !holds(s.visible()) {
		select {
		case <-s.more:
		case err := <-s.done:
			t.Fatalf("%s: it has ended (%v):\n%s", what, err, s.visible())
		case <-deadline:
			t.Fatalf("%s: it shows\n%s", what, s.visible())
		}
	}
}

func (s *session) shows(t *testing.T, want string) {
	t.Helper()
	s.until(t, "want "+want, func(visible string) bool { return strings.Contains(visible, want) })
}

func (s *session) showsNoMore(t *testing.T, text string) {
	t.Helper()
	s.until(t, "want no more "+text, func(visible string) bool { return !strings.Contains(visible, text) })
}

func (s *session) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(testTimeout):
		t.Fatalf("it does not end:\n%s", s.visible())
		return nil
	}
}

// newTerminal is a pseudo-terminal: what is written to its far end is read here.
func newTerminal(t *testing.T) (near, far *os.File) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	number, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	far, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

// reads is how many GETs and LISTs of Hanse's objects the API server has answered, as it counts itself.
func (h *host) reads(t *testing.T) float64 {
	t.Helper()
	return h.metric(t, "apiserver_request_total", `verb="GET"`) + h.metric(t, "apiserver_request_total", `verb="LIST"`)
}

// watches is how many watches of Hanse's objects there are.
func (h *host) watches(t *testing.T) float64 {
	t.Helper()
	return h.metric(t, "apiserver_longrunning_requests", `verb="WATCH"`)
}

func (h *host) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	clients, err := kubernetes.NewForConfig(h.config)
	if err != nil {
		t.Fatal(err)
	}
	text, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, name+"{") || !strings.Contains(line, label) || !strings.Contains(line, `group="federation.hanse.io"`) {
			continue
		}
		fields := strings.Fields(line)
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += value
	}
	return sum
}

// cable carries a person's connections to an API server, and can be cut.
type cable struct {
	server, address string

	mu    sync.Mutex
	near  net.Listener
	ended []io.Closer
}

func newCable(t *testing.T, config *rest.Config) *cable {
	t.Helper()
	c := &cable{server: strings.TrimPrefix(config.Host, "https://"), address: "127.0.0.1:0"}
	if at, err := url.Parse(config.Host); err == nil && at.Host != "" {
		c.server = at.Host
	}
	c.repair(t)
	t.Cleanup(c.cut)
	return c
}

// repair has it carry connections, under the address that it has had.
func (c *cable) repair(t *testing.T) {
	t.Helper()
	near, err := net.Listen("tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.near, c.address = near, near.Addr().String()
	c.mu.Unlock()
	go func() {
		for {
			conn, err := near.Accept()
			if err != nil {
				return
			}
			c.carry(conn)
		}
	}()
}

func (c *cable) carry(near net.Conn) {
	far, err := net.Dial("tcp", c.server)
	if err != nil {
		_ = near.Close()
		return
	}
	c.mu.Lock()
	c.ended = append(c.ended, near, far)
	c.mu.Unlock()
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			_ = errors.Join(near.Close(), far.Close())
		}()
	}
}

// cut ends every connection and takes no more.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.near.Close()
	for _, conn := range c.ended {
		_ = conn.Close()
	}
	c.ended = nil
}

// through is the same person whose connections go through a cable.
func (p person) through(t *testing.T, c *cable) person {
	t.Helper()
	text, err := os.ReadFile(p.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	moved := strings.ReplaceAll(string(text), c.server, c.address)
	if moved == string(text) {
		t.Fatal(fmt.Errorf("the kubeconfig does not name %s", c.server))
	}
	if err := os.WriteFile(file, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	return person{file}
}
