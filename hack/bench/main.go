// Command bench measures Hanse: how fast a change propagates and what an idle agent costs, how long a bring-up takes
// beside the same without Kubernetes, and what the gateways cost a line and the ledger. It prints one table, each
// figure beside the aim that it is held against, and writes the same as JSON.
//
//	go run ./hack/bench --out dist/bench.json
//	go run ./hack/bench --only propagation,line
//
// Root is needed. A figure that misses its aim is no failure: speed is measured here, not tested.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hanse-io/hanse/hack/bench/baseline"
	"github.com/hanse-io/hanse/hack/bench/figures"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrllog.SetLogger(logr.Discard())
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) > 1 {
		if role, ok := baseline.Roles[os.Args[1]]; ok {
			return role(ctx, os.Args[2:])
		}
	}
	o, err := readFlags(os.Args[1:])
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("network namespaces and testbeds can be made by root only: run this as root")
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	failed := b.run(ctx)
	if failed != nil {
		b.set.Note("logs are left in %s", b.dir)
	} else if err := os.RemoveAll(b.dir); err != nil {
		return err
	}
	b.set.Print(os.Stdout)
	if o.out == "" {
		return failed
	}
	text, err := b.set.JSON()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(o.out), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(o.out, text, 0o644); err != nil {
		return err
	}
	return failed
}

func (b *bench) run(ctx context.Context) error {
	build := exec.CommandContext(ctx, "make", "-s", "build")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("make build: %w", err)
	}
	b.machine()
	for _, s := range sections {
		if !b.o.only[s.name] {
			continue
		}
		fmt.Fprintf(os.Stderr, "══ %s: %s\n", s.name, s.what)
		limited, cancel := context.WithTimeout(ctx, s.limit)
		err := s.measure(b, limited)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			// The other sections can do without this one.
			b.set.Note("section %s was not finished: %v", s.name, err)
			b.failed++
		}
	}
	if b.failed > 0 {
		return fmt.Errorf("%d sections were not finished; the notes above say why", b.failed)
	}
	return nil
}

type bench struct {
	o      options
	dir    string
	set    figures.Set
	failed int
	// baseline is how long the bring-up takes without Kubernetes, in seconds.
	baseline float64
}

func newBench(o options) (*bench, error) {
	dir, err := os.MkdirTemp("", "hanse-bench-")
	return &bench{o: o, dir: dir}, err
}

type options struct {
	out    string
	only   map[string]bool
	runs   int
	trace  bool
	name   string
	rounds int
	idle   time.Duration
	// profiles is a directory.
	profiles string
}

func readFlags(args []string) (options, error) {
	o := options{only: map[string]bool{}}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "", "file to write the figures to, as JSON")
	f.IntVar(&o.rounds, "rounds", 3, "how often each short measurement is taken; the medians count")
	f.IntVar(&o.runs, "bring-ups", 2, "how often a consortium is brought up")
	f.DurationVar(&o.idle, "idle", 2*time.Minute, "how long an idle agent is watched; not at all if 0")
	f.StringVar(&o.profiles, "profiles", "", "directory for CPU profiles of the API servers during the bursts")
	f.BoolVar(&o.trace, "trace", false, "say where the time of a propagation goes, from the API servers' audit logs")
	f.StringVar(&o.name, "name", "bench", "name of the testbed")
	only := f.String("only", names(), "sections to measure, divided by commas")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.choose(*only)
}
