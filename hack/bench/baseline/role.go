package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// Roles in which the benchmark's own program runs itself.
var Roles = map[string]func(ctx context.Context, args []string) error{"role-baseline": baselineRole, "role-gateways": gatewaysRole}

// Result is what one run has measured.
type Result struct {
	// Nodes, Ledger and First are the seconds until all processes are healthy, from there until the contract is
	// committed, and from there until the first transaction is.
	Nodes, Ledger, First float64
	// TPS is the most transactions a second that were committed, with as many Clients as it takes for more to bring no more.
	TPS     float64
	Clients int
	// CPU time of the whole machine for each of them, in milliseconds.
	CPU float64
	// Latencies at the rates that were asked for, in their order.
	Latencies []Latency
	// Failovers are what each cut of a line has done, and Failed the errors of all transactions that failed meanwhile.
	Failovers []Failover
	Failed    []string
	// Relayed is how many megabytes went through gateways, once for each gateway.
	Relayed float64
}

// Latency of transactions at a steady rate, from the time at which each was due.
type Latency struct {
	// Rate a second.
	Rate float64
	// P50 and P99 in milliseconds.
	P50, P99 float64
}

// BringUp is the whole way to the first committed transaction, in seconds.
func (r Result) BringUp() float64 { return r.Nodes + r.Ledger + r.First }

// Way is how the nodes of different organizations reach each other.
type Way string

const (
	// Direct: they dial each other.
	Direct Way = "direct"
	// Gateways: through their organizations' gateways.
	Gateways Way = "gateways"
	// HAProxy: through HAProxies in place of the gateways, as routers by server name.
	HAProxy Way = "haproxy"
	// Doubled: through gateways that take twice the CPU time, which a benchmark of gateways has to show.
	Doubled Way = "gateways at twice the work"
)

// Order is what Run has to do.
type Order struct {
	Parts fabrictest.Options
	// Directory for what the processes write.
	Directory string
	Way       Way
	// Load is how long each step of the load is measured; nothing is loaded if it is 0.
	Load time.Duration
	// Rates a second at which latency is measured.
	Rates []float64
	// Cuts is how often a line is cut under load. Without gateways there are no lines.
	Cuts int
	// Shares of the most transactions a second at which latency is measured, if Rates is empty.
	Shares []float64
}

// Run brings a network up in a network namespace of its own, and then loads it.
func Run(ctx context.Context, o Order) (r Result, err error) {
	o.Parts.Directory = o.Directory
	text, err := json.Marshal(o)
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, "unshare", "--net", "--", self, "role-baseline", string(text))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("the network without Kubernetes: %w; its logs are in %s", err, o.Directory)
	}
	return r, json.Unmarshal(out, &r)
}

func baselineRole(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("role-baseline", flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	var o Order
	if err := json.Unmarshal([]byte(flags.Arg(0)), &o); err != nil {
		return err
	}
	// A peer wants to see an address that is not a loopback one, though it does not use it.
	for _, words := range []string{"link set lo up", "address add " + lineEnd(0) + "/32 dev lo"} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(words)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", words, err, out)
		}
	}
	all, err := members(o.batchTimeout())
	if err != nil {
		return err
	}
	network, err := fabrictest.NewNetwork(o.Parts, all)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	result, err := o.run(ctx, network)
	if err != nil {
		return err
	}
	return json.NewEncoder(io.Writer(os.Stdout)).Encode(result)
}

func (o Order) run(ctx context.Context, network *fabrictest.Network) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute+20*o.Load+time.Duration(o.Cuts)*(cutFor+settleFor))
	defer cancel()
	lap := stopwatch()
	if err := network.Start(ctx); err != nil {
		return r, err
	}
	r.Nodes = lap()
	if o.Way != Direct {
		g, err := o.startGateways(ctx, network, filepath.Join(o.Parts.Directory, "gateways"))
		if err != nil {
			return r, err
		}
		defer g.stop()
		defer func() { r.Relayed = g.relayed() }()
	}
	lap()
	if err := untilReady(ctx, network); err != nil {
		return r, err
	}
	r.Ledger = lap()
	if err := first(ctx, network); err != nil {
		return r, err
	}
	r.First = lap()
	if o.Load > 0 {
		err = o.load(ctx, network, &r)
	}
	if o.Cuts > 0 {
		err = errors.Join(err, o.failover(ctx, network, &r))
	}
	return r, err
}

// stopwatch gives the seconds since the last time it was asked.
func stopwatch() func() float64 {
	last := time.Now()
	return func() float64 {
		now := time.Now()
		defer func() { last = now }()
		return now.Sub(last).Seconds()
	}
}
