package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// competitor starts what stands between client and sink, and says where the client has to connect to.
type competitor func(ctx context.Context, s settings, n *network, dir string) (to string, running []*server, err error)

var competitors = map[string]competitor{
	"direct": func(context.Context, settings, *network, string) (string, []*server, error) {
		return net.JoinHostPort(farAddress, strconv.Itoa(sinkPort)), nil, nil
	},
	"hanse":          hanse,
	"haproxy":        haproxy(""),
	"haproxy-splice": haproxy("option splice-auto"),
}

// measure takes one round of one competitor.
func measure(ctx context.Context, s settings, n *network, dir, name string, start competitor, r *results) error {
	sink, err := startServer(ctx, func(ctx context.Context) *exec.Cmd { return n.self(ctx, n.far, 0, "role-sink") })
	if err != nil {
		return err
	}
	defer sink.stop()
	to, running, err := start(ctx, s, n, dir)
	defer func() {
		for _, p := range running {
			p.stop()
		}
	}()
	if err != nil {
		return err
	}
	if err := ready(ctx, s, n, to); err != nil {
		return err
	}
	count := bufio.NewReader(sink.out)
	swallowed := func() (int64, error) {
		if _, err := fmt.Fprintln(sink.in); err != nil {
			return 0, err
		}
		line, err := count.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	}
	// Connections first: streams that are torn down keep everybody busy for a moment.
	if err := rate(ctx, s, n, name, to, running, r); err != nil {
		return err
	}
	for _, streams := range s.streams {
		if err := bulk(ctx, s, n, name, to, streams, running, swallowed, r); err != nil {
			return fmt.Errorf("%d streams: %w", streams, err)
		}
	}
	return nil
}

// ready waits until a connection gets through.
func ready(ctx context.Context, s settings, n *network, to string) error {
	var out []byte
	var err error
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		cmd := n.self(ctx, n.near, 0, "role-connect", "-to", to, "-workers", "1", "-for", "1ms")
		cmd.Stderr = nil
		if out, err = cmd.Output(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no connection to %s gets through: %w: %s", to, err, out)
}

func bulk(ctx context.Context, s settings, n *network, name, to string, streams int, running []*server, swallowed func() (int64, error), r *results) error {
	pump, err := startServer(ctx, func(ctx context.Context) *exec.Cmd {
		return n.self(ctx, n.near, 0, "role-pump", "-to", to, "-streams", strconv.Itoa(streams))
	})
	if err != nil {
		return err
	}
	defer pump.stop()
	if _, err := bufio.NewReader(pump.out).ReadString('\n'); err != nil {
		return fmt.Errorf("the streams did not begin: %w", err)
	}
	time.Sleep(s.duration / 5) // the windows open
	before, err := swallowed()
	if err != nil {
		return err
	}
	cpu, started := cpuTime(running), time.Now()
	time.Sleep(s.duration)
	after, err := swallowed()
	if err != nil {
		return err
	}
	took, bytes := time.Since(started).Seconds(), float64(after-before)
	what := fmt.Sprintf("streams-%d", streams)
	r.add(what, name, bytes/took)
	r.add(what+"-cpu", name, (cpuTime(running)-cpu)/(bytes/1e9))
	return nil
}

func rate(ctx context.Context, s settings, n *network, name, to string, running []*server, r *results) error {
	cpu := cpuTime(running)
	out, err := n.self(ctx, n.near, 0, "role-connect", "-to", to,
		"-workers", strconv.Itoa(s.workers), "-for", s.duration.String()).Output()
	if err != nil {
		return fmt.Errorf("connections: %w", err)
	}
	perSecond, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		return err
	}
	r.add("connections", name, perSecond)
	r.add("connections-cpu", name, (cpuTime(running)-cpu)/(perSecond*s.duration.Seconds()/1000))
	return nil
}

// cpuTime is how many seconds of CPU the programs have used.
func cpuTime(running []*server) (seconds float64) {
	for _, p := range running {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		seconds += (user + system) / 100
	}
	return seconds
}

// haproxy is a pair of HAProxies, each a router by server name as a gateway is.
func haproxy(option string) competitor {
	return func(ctx context.Context, s settings, n *network, dir string) (string, []*server, error) {
		near, err := startHAProxy(ctx, s, n, n.near, dir, option, insidePort, net.JoinHostPort(farAddress, strconv.Itoa(linePort)))
		if err != nil {
			return "", nil, err
		}
		far, err := startHAProxy(ctx, s, n, n.far, dir, option, linePort, net.JoinHostPort("127.0.0.1", strconv.Itoa(sinkPort)))
		if err != nil {
			return "", []*server{near}, err
		}
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(insidePort)), []*server{near, far}, nil
	}
}

const haproxyConfig = `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  %[1]s
frontend in
  bind :%[2]d
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  tcp-request content reject
  use_backend out if { req.ssl_sni -i %[4]s }
backend out
  server far %[3]s
`

func startHAProxy(ctx context.Context, s settings, n *network, ns, dir, option string, port int, to string) (*server, error) {
	file := filepath.Join(dir, "haproxy-"+ns+".cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, haproxyConfig, option, port, to, serverName), 0o644); err != nil {
		return nil, err
	}
	return startServer(ctx, func(ctx context.Context) *exec.Cmd {
		return n.command(ctx, ns, s.user, "haproxy", "-db", "-q", "-f", file)
	})
}
