package baseline

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway"
	"github.com/hanse-io/hanse/hack/bench/routefile"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// resolverMemory is how long a Go program goes by the hosts file as it last read it.
const resolverMemory = 5 * time.Second

// ports of nodes that others dial. In a cluster a Service brings both to one port of the gateway; here a gateway
// process runs one router for each, with a line of its own.
var ports = []int{v1alpha1.PortOrderer, v1alpha1.PortPeer}

func inside(number int) string  { return fmt.Sprintf("127.77.%d.250", number) }
func lineEnd(number int) string { return fmt.Sprintf("10.77.%d.1", number) }
func linePort(node int) int     { return node + 1000 }
func metricsPort(node int) int  { return node + 2000 }
func routesFile(node int) string {
	return fmt.Sprintf("routes-%d.json", node)
}

// gateways are one process for each organization.
type gateways struct {
	cmds []*exec.Cmd
}

// startGateways has every organization's nodes reach the others through its own gateway and theirs. The nodes run
// already but have not spoken to each other yet.
func (o Order) startGateways(ctx context.Context, network *fabrictest.Network, dir string) (*gateways, error) {
	g := &gateways{}
	addresses, err := detour(network, filepath.Dir(dir))
	if err != nil {
		return g, err
	}
	roots := map[string]string{}
	for number, member := range organizations {
		root, err := identity(filepath.Join(dir, member), member)
		if err != nil {
			return g, err
		}
		roots[member] = root
		address := lineEnd(number+1) + "/32"
		if out, err := exec.CommandContext(ctx, "ip", "address", "add", address, "dev", "lo").CombinedOutput(); err != nil {
			return g, fmt.Errorf("ip address add %s: %w: %s", address, err, out)
		}
	}
	if o.Cuts > 0 {
		if err := twoLines(ctx); err != nil {
			return g, err
		}
	}
	for number, member := range organizations {
		if err := o.writeRoutes(filepath.Join(dir, member), number+1, addresses, roots); err != nil {
			return g, err
		}
		start := g.start
		if o.Way == HAProxy {
			start = g.startHAProxy
		}
		if err := start(filepath.Join(dir, member), number+1, o.Way); err != nil {
			g.stop()
			return g, err
		}
	}
	return g, sleep(ctx, resolverMemory+time.Second)
}

// start runs one organization's gateway.
func (g *gateways) start(dir string, number int, way Way) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "role-gateways", dir, strconv.Itoa(number), string(way))
	cmd.Env = append(os.Environ(), "GOGC=400") // what the chart sets
	return g.run(cmd)
}

// run runs one organization's program until stop.
func (g *gateways) run(cmd *exec.Cmd) error {
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.cmds = append(g.cmds, cmd)
	return nil
}

func (g *gateways) stop() {
	for _, cmd := range g.cmds {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	g.cmds = nil
}

// passedOn are the counters of bytes, of gateways and of HAProxies.
var passedOn = regexp.MustCompile(`^(?:hanse_gateway_bytes_total|haproxy_frontend_bytes_(?:in|out)_total)\b.* (\S+)$`)

// relayed asks all gateways how many megabytes they have passed on.
func (g *gateways) relayed() (megabytes float64) {
	for number := range organizations {
		for _, port := range ports {
			response, err := http.Get(fmt.Sprintf("http://%s:%d/metrics", inside(number+1), metricsPort(port)))
			if err != nil {
				continue
			}
			for s := bufio.NewScanner(response.Body); s.Scan(); {
				if found := passedOn.FindStringSubmatch(s.Text()); found != nil {
					value, _ := strconv.ParseFloat(found[1], 64)
					megabytes += value / 1e6
				}
			}
			response.Body.Close()
		}
	}
	return megabytes
}

// detour rewrites every organization's hosts file: whoever is not its own is found at its gateway. It returns where
// everybody really is.
func detour(network *fabrictest.Network, dir string) (map[string]string, error) {
	addresses := map[string]string{}
	for i, member := range network.Members {
		own := fmt.Sprintf("127.77.%d.", i+1)
		file := filepath.Join(dir, member.Plan.Spec.Member, "hosts")
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var out strings.Builder
		for row := range strings.Lines(string(text)) {
			fields := strings.Fields(row)
			if strings.HasPrefix(fields[0], "127.77.") && !strings.HasPrefix(fields[0], own) {
				addresses[fields[1]] = fields[0]
				row = inside(i+1) + " " + fields[1] + "\n"
			}
			out.WriteString(row)
		}
		// Written in place: the running nodes have this very file mounted.
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// identity makes an organization's root and its gateway's certificate, and returns the root.
func identity(dir, member string) (string, error) {
	authority, err := fabrictest.NewAuthority(member)
	if err != nil {
		return "", err
	}
	name := v1alpha1.GatewayServerName(member)
	pair, err := authority.Issue(ledger.Identity{CommonName: name, DNSNames: []string{name}, Server: true, Client: true})
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for file, text := range map[string][]byte{"tls.crt": pair.Certificate, "tls.key": pair.Key} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			return "", err
		}
	}
	return string(authority.PEM), nil
}

// routes of a gateway, for one of the nodes' ports.
func (o Order) routes(from, port int, addresses, roots map[string]string) routing.Routes {
	member := organizations[from-1]
	routes := routing.Routes{Member: member, Roots: roots, Local: map[string]string{}, Remote: map[string]string{}}
	for number, other := range organizations {
		node := "peer0-"
		if port == v1alpha1.PortOrderer {
			node = "orderer0-"
		}
		name := v1alpha1.NodeHost(node+other, consortium)
		if other == member {
			routes.Local[name] = net.JoinHostPort(addresses[name], strconv.Itoa(port))
			continue
		}
		routes.Remote[name] = other
		routes.Lines = append(routes.Lines, o.linesTo(from, number+1, port)...)
	}
	return routes
}

// writeRoutes writes a gateway's routes, one file for each of the nodes' ports, and the same for HAProxy.
func (o Order) writeRoutes(dir string, from int, addresses, roots map[string]string) error {
	config := haproxyDefaults
	for _, port := range ports {
		routes := o.routes(from, port, addresses, roots)
		text, err := routes.JSON()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, routesFile(port)), text, 0o600); err != nil {
			return err
		}
		config += haproxyRoutes(routes, from, port)
	}
	return os.WriteFile(filepath.Join(dir, haproxyFile), []byte(config), 0o600)
}

// gatewaysRole runs one organization's gateway.
func gatewaysRole(ctx context.Context, args []string) error {
	dir := args[0]
	number, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	if Way(args[2]) == Doubled {
		go doubleWork(ctx)
	}
	var all sync.WaitGroup
	failed := make([]error, len(ports))
	for i, port := range ports {
		o := gateway.DefaultOptions()
		o.InsideAddress = net.JoinHostPort(inside(number), strconv.Itoa(port))
		o.LineAddress = net.JoinHostPort(lineEnd(number), strconv.Itoa(linePort(port)))
		o.MetricsAddress = net.JoinHostPort(inside(number), strconv.Itoa(metricsPort(port)))
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
		o.CertDir, o.Source, o.Sink = dir, routefile.Source(filepath.Join(dir, routesFile(port))), routefile.Sink{}
		o.DrainDelay, o.DrainTimeout, o.CloseTimeout = time.Millisecond, time.Millisecond, time.Millisecond
		all.Go(func() { failed[i] = gateway.Run(ctx, o) })
	}
	all.Wait()
	return failed[0]
}
