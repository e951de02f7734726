package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Addresses of the line's two ends, and ports of what listens there.
const (
	nearAddress = "10.213.7.1"
	farAddress  = "10.213.7.2"
	insidePort  = 8443
	linePort    = 7443
	sinkPort    = 7051
	serverName  = "peer0-far.hanse-bench"
)

// network is two namespaces joined by a veth pair.
type network struct {
	near, far string
	program   string // this one's own file
}

func makeNetwork(ctx context.Context) (*network, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	id := os.Getpid()
	n := &network{near: fmt.Sprintf("hanse-bench-%d-n", id), far: fmt.Sprintf("hanse-bench-%d-f", id), program: program}
	near, far := "veth-near", "veth-far"
	for _, words := range []string{
		"netns add " + n.near,
		"netns add " + n.far,
		"-n " + n.near + " link add " + near + " type veth peer name " + far + " netns " + n.far,
		"-n " + n.near + " address add " + nearAddress + "/24 dev " + near,
		"-n " + n.far + " address add " + farAddress + "/24 dev " + far,
		"-n " + n.near + " link set " + near + " up",
		"-n " + n.far + " link set " + far + " up",
		"-n " + n.near + " link set lo up",
		"-n " + n.far + " link set lo up",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(words)...).CombinedOutput(); err != nil {
			n.remove()
			return nil, fmt.Errorf("ip %s: %w: %s", words, err, out)
		}
	}
	// Enough ports for connections that are opened as fast as can be.
	for _, ns := range []string{n.near, n.far} {
		for key, value := range map[string]string{"ip_local_port_range": "10000 65000", "tcp_tw_reuse": "1", "tcp_max_tw_buckets": "4096"} {
			write := fmt.Sprintf("echo %q > /proc/sys/net/ipv4/%s", value, key)
			if err := n.command(ctx, ns, 0, "sh", "-c", write).Run(); err != nil {
				n.remove()
				return nil, fmt.Errorf("%s: %w", write, err)
			}
		}
	}
	return n, nil
}

func (n *network) remove() {
	for _, ns := range []string{n.near, n.far} {
		if err := exec.Command("ip", "netns", "delete", ns).Run(); err != nil {
			fmt.Fprintf(os.Stderr, "network namespace %s cannot be deleted: %v: delete it with ip netns delete\n", ns, err)
		}
	}
}

// command is a program within a namespace.
func (n *network) command(ctx context.Context, ns string, user int, name string, args ...string) *exec.Cmd {
	enter := []string{"--net=/run/netns/" + ns}
	if user != 0 {
		enter = append(enter, fmt.Sprintf("--setuid=%d", user), fmt.Sprintf("--setgid=%d", user))
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(append(enter, "--", name), args...)...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// self is this program in another role.
func (n *network) self(ctx context.Context, ns string, user int, args ...string) *exec.Cmd {
	return n.command(ctx, ns, user, n.program, args...)
}

// server is a program that runs until it is stopped.
type server struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	in     io.WriteCloser
	out    io.Reader
}

func startServer(ctx context.Context, make func(context.Context) *exec.Cmd) (*server, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &server{cmd: make(ctx), cancel: cancel}
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		cancel()
		return nil, err
	}
	if s.out, err = s.cmd.StdoutPipe(); err != nil {
		cancel()
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	return s, nil
}

func (s *server) stop() {
	s.cancel()
	_ = s.cmd.Wait() // it was told to end; how it says so does not matter
}
