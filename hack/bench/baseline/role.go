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

	"github.com/hanse-io/hanse/member-agent/ledger/fabric/fabrictest"
)

// Roles in which the benchmark's own program runs itself.
var Roles = map[string]func(ctx context.Context, args []string) error{"role-baseline": baselineRole, "role-gateways": gatewaysRole}

// Result is what one run has measured.
type Result struct {
	// Nodes, Ledger and First are the seconds until all processes are healthy, from there until the contract is
	// committed, and from there until the first transaction is.
	Nodes, Ledger, First float64
	// Transactions a second, and how much of the machine's CPU time they took, in milliseconds each.
	TPS, CPU float64
	// Relayed is how many megabytes went through gateways, once for each gateway.
	Relayed float64
}

// BringUp is the whole way to the first committed transaction, in seconds.
func (r Result) BringUp() float64 { return r.Nodes + r.Ledger + r.First }

// Run brings a network up in a network namespace of its own, and then loads it for a while.
func Run(ctx context.Context, parts fabrictest.Options, dir string, gateways bool, load time.Duration, clients int) (r Result, err error) {
	parts.Directory = dir
	text, err := json.Marshal(order{Parts: parts, Gateways: gateways, Load: load, Clients: clients})
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
		return r, fmt.Errorf("the network without Kubernetes: %w; its logs are in %s", err, dir)
	}
	return r, json.Unmarshal(out, &r)
}

// order is what Run asks of its other self.
type order struct {
	Parts    fabrictest.Options
	Gateways bool
	Load     time.Duration
	Clients  int
}

func baselineRole(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("role-baseline", flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal([]byte(flags.Arg(0)), &o); err != nil {
		return err
	}
	// A peer wants to see an address that is not a loopback one, though it does not use it.
	for _, words := range []string{"link set lo up", "address add " + lineEnd(0) + "/32 dev lo"} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(words)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", words, err, out)
		}
	}
	all, err := members()
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

func (o order) run(ctx context.Context, network *fabrictest.Network) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute+o.Load)
	defer cancel()
	lap := stopwatch()
	if err := network.Start(ctx); err != nil {
		return r, err
	}
	r.Nodes = lap()
	if o.Gateways {
		g, err := startGateways(ctx, network, filepath.Join(o.Parts.Directory, "gateways"))
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
		r.TPS, r.CPU, err = load(ctx, network, o.Load, o.Clients)
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
