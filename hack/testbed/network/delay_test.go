//go:build testbed

package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/testbed/cgroup"
	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

const (
	delayed = 15 * time.Millisecond
	port    = 7000
	node    = topology.NodeAddress + ":7001"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// networks makes two LANs with a line between them and nothing on them.
func networks(t *testing.T) (*topology.Testbed, topology.Line) {
	t.Helper()
	f := &topology.Testbed{Name: "e2e-delay", Allow: []project.Port{{Port: port, NodePort: 7001}}}
	taken, err := ManagementTaken()
	check(t, err)
	check(t, f.Grow([]string{"near", "far"}, []topology.Link{{A: "near", B: "far"}}, taken))
	t.Cleanup(func() { remove(t, f) })
	check(t, Up(t.Context(), f))
	return f, f.Lines[0]
}

// remove takes away what Up and Delay have made.
func remove(t *testing.T, f *topology.Testbed) {
	ctx := context.Background()
	group := cgroup.OfTestbed(f.Name)
	errs := []error{process.KillAll(time.Now().Add(delayPatience), group.PIDs)}
	links, err := MachineLinks(ctx, f.Name)
	errs = append(errs, err)
	for _, l := range links {
		errs = append(errs, DeleteLink(ctx, l))
	}
	names, err := Namespaces(func(name string) bool { return topology.OwnsNamespace(f.Name, name) })
	errs = append(errs, err)
	for _, name := range names {
		errs = append(errs, DeleteNamespace(ctx, name))
	}
	errs = append(errs, group.Remove(time.Now().Add(delayPatience)), os.RemoveAll(state.Dir(f.Name)))
	cgroup.RemoveTop()
	_ = os.Remove(state.Root) // refuses while another testbed is there
	check(t, errors.Join(errs...))
}

func lineDelay(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "line-delay")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir, cmd.Env = "../../parts/linedelay", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build line-delay: %v\n%s", err, out)
	}
	return program
}

// echo serves on a LAN's node: it tells each client the address that it comes from, and then returns what it gets.
func echo(t *testing.T, namespace string) {
	t.Helper()
	var server net.Listener
	check(t, Inside(namespace, func() (err error) { server, err = net.Listen("tcp", node); return err }))
	t.Cleanup(func() { server.Close() })
	go func() {
		for {
			client, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				host, _, _ := net.SplitHostPort(client.RemoteAddr().String())
				fmt.Fprintf(client, "%-15s", host)
				_, _ = io.Copy(client, client)
			}()
		}
	}()
}

func dial(namespace, address string) (client net.Conn, err error) {
	err = Inside(namespace, func() error {
		client, err = net.DialTimeout("tcp", address, 2*time.Second)
		return err
	})
	return client, err
}

// roundTrip is the shortest of some round trips: a busy machine only makes them longer.
func roundTrip(t *testing.T, client net.Conn) time.Duration {
	t.Helper()
	shortest := time.Hour
	for range 10 {
		begun := time.Now()
		_, err := client.Write([]byte("x"))
		check(t, err)
		_, err = io.ReadFull(client, make([]byte, 1))
		check(t, err)
		shortest = min(shortest, time.Since(begun))
	}
	return shortest
}

func TestDelay(t *testing.T) {
	f, l := networks(t)
	program := lineDelay(t)
	echo(t, f.LAN("far"))
	address := fmt.Sprintf("%s:%d", l.Address("far"), port)
	client, err := dial(f.LAN("near"), address)
	check(t, err)
	t.Cleanup(func() { client.Close() })
	source := make([]byte, 15)
	_, err = io.ReadFull(client, source)
	check(t, err)
	bare := roundTrip(t, client)

	check(t, Delay(t.Context(), f, l, delayed, program))
	slow := roundTrip(t, client)
	t.Logf("a round trip takes %v, and with %v in each direction %v", bare, delayed, slow)
	if added := slow - bare; added < 2*delayed || added > 4*delayed {
		t.Errorf("a delay of %v in each direction adds %v to a round trip of a connection that was there", delayed, added)
	}
	if got := LineState(t.Context(), f, l); got != "delayed by 15ms" {
		t.Errorf("state %q", got)
	}
	t.Run("a new connection waits too, and bears the line's address", func(t *testing.T) { connect(t, f, l, address) })
	t.Run("much comes through unchanged", func(t *testing.T) { transfer(t, client) })
	t.Run("with a rate", func(t *testing.T) {
		check(t, Slow(t.Context(), f, l, "10mbit"))
		if got := LineState(t.Context(), f, l); got != "slowed to 10Mbit, delayed by 15ms" {
			t.Errorf("state %q", got)
		}
	})
	t.Run("another delay", func(t *testing.T) {
		check(t, Delay(t.Context(), f, l, 2*delayed, program))
		if got := roundTrip(t, client) - bare; got < 4*delayed {
			t.Errorf("twice the delay adds %v", got)
		}
	})
	t.Run("a cut line is cut", func(t *testing.T) {
		check(t, Cut(t.Context(), f, l))
		if other, err := dial(f.LAN("near"), address); err == nil {
			other.Close()
			t.Error("it carries a new connection")
		}
	})
	t.Run("restored", func(t *testing.T) { restored(t, f, l, address, bare) })
}

func connect(t *testing.T, f *topology.Testbed, l topology.Line, address string) {
	begun := time.Now()
	client, err := dial(f.LAN("near"), address)
	check(t, err)
	defer client.Close()
	if took := time.Since(begun); took < 2*delayed {
		t.Errorf("it was there after %v: somebody nearer than the far end has answered", took)
	}
	source := make([]byte, 15)
	_, err = io.ReadFull(client, source)
	check(t, err)
	if got := strings.TrimSpace(string(source)); got != l.Address("near").String() {
		t.Errorf("the far LAN sees it come from %s, not from %s", got, l.Address("near"))
	}
}

// transfer sends more than a window, in large pieces: the kernel leaves checksums and cutting to the last interface.
func transfer(t *testing.T, client net.Conn) {
	sent := []byte(strings.Repeat("0123456789abcdef", 1<<18))
	begun := time.Now()
	failed := make(chan error, 1)
	go func() { _, err := client.Write(sent); failed <- err }()
	got := make([]byte, len(sent))
	_, err := io.ReadFull(client, got)
	check(t, errors.Join(err, <-failed))
	if string(got) != string(sent) {
		t.Error("it has changed")
	}
	t.Logf("%d MB there and back in %v", len(sent)>>20, time.Since(begun))
}

func restored(t *testing.T, f *topology.Testbed, l topology.Line, address string, bare time.Duration) {
	check(t, Restore(t.Context(), f, l))
	if got := LineState(t.Context(), f, l); got != "up" {
		t.Errorf("state %q", got)
	}
	client, err := dial(f.LAN("near"), address)
	check(t, err)
	defer client.Close()
	_, err = io.ReadFull(client, make([]byte, 15))
	check(t, err)
	if got := roundTrip(t, client); got > bare+delayed {
		t.Errorf("a round trip takes %v, before %v", got, bare)
	}
}
