package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hanse-io/hanse/hack/bench/baseline"
	"github.com/hanse-io/hanse/hack/bench/bringup"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
	"github.com/hanse-io/hanse/hack/bench/propagation"
	"github.com/hanse-io/hanse/hack/bench/scale"
	"github.com/hanse-io/hanse/hack/harness"
)

// section is one part of the benchmark, which works without the others.
type section struct {
	name, what string
	limit      time.Duration
	measure    func(b *bench, ctx context.Context) error
}

// sections in the order in which they are measured: the bring-up wants to know the baseline.
var sections = []section{
	{"propagation", "a host and one Member without nodes", 6 * time.Minute, (*bench).propagation},
	{"scale", "a host with 100, 300 and 1,000 Members", 15 * time.Minute, (*bench).scale},
	{"ledger", "peers and orderers without Kubernetes, dialing each other, through gateways and through HAProxy", 25 * time.Minute, (*bench).ledger},
	{"failover", "the same through gateways with two lines between every two, of which one is cut", 9 * time.Minute, (*bench).failover},
	{"line", "two gateways on a veth pair beside HAProxy", 3 * time.Minute, (*bench).line},
	{"bringup", "a testbed of four clusters", 9 * time.Minute, (*bench).bringUp},
}

func names() string {
	var all []string
	for _, s := range sections {
		all = append(all, s.name)
	}
	return strings.Join(all, ",")
}

func (o *options) choose(only string) error {
	for name := range strings.SplitSeq(only, ",") {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("--only: there is no section %q: take some of %s", name, names())
		}
		o.only[name] = true
	}
	return nil
}

// machine notes what the figures were taken on.
func (b *bench) machine() {
	load, _ := os.ReadFile("/proc/loadavg")
	b.set.Note("%s, %d CPUs, load %s before the first section", time.Now().Format(time.DateOnly), runtime.NumCPU(), strings.Join(strings.Fields(string(load))[:1], ""))
}

func (b *bench) propagation(ctx context.Context) (err error) {
	s, err := harness.New(b.o.name, 1, os.Stderr)
	if err != nil {
		return err
	}
	p, err := controlplanes.Start(ctx, s, filepath.Join(b.dir, "controlplanes"))
	if err != nil {
		return err
	}
	defer func() {
		if failed := p.Stop(); err == nil {
			err = failed
		}
	}()
	o := propagation.Options{Consortia: 100, Rounds: b.o.rounds, Changes: 60, Bursts: b.o.rounds, Idle: b.o.idle, Profiles: b.o.profiles}
	if b.o.trace {
		o.Trace = func(format string, arguments ...any) { fmt.Fprintf(os.Stderr, format+"\n", arguments...) }
	}
	return propagation.Measure(ctx, p, o, &b.set)
}

// scale measures the host's controller alone, with simulated agents.
func (b *bench) scale(ctx context.Context) (err error) {
	s, err := harness.New(b.o.name, 1, os.Stderr)
	if err != nil {
		return err
	}
	p, _, err := controlplanes.StartHost(ctx, s, filepath.Join(b.dir, "scale"))
	if err != nil {
		return err
	}
	defer func() {
		if failed := p.Stop(); err == nil {
			err = failed
		}
	}()
	return scale.Measure(ctx, p, scale.Options{Sizes: scale.Sizes, Profiles: b.o.profiles}, &b.set)
}

// noHAProxy is said where HAProxy is missing.
const noHAProxy = "HAProxy is not installed, so nothing stands beside the gateways: apt-get install haproxy"

// line runs the line's own benchmark and takes over what it is held against.
func (b *bench) line(ctx context.Context) error {
	out := filepath.Join(b.dir, "line.json")
	competitors := []string{"direct", "hanse"}
	if baseline.HasHAProxy() {
		competitors = append(competitors, "haproxy")
	} else {
		b.set.Note("%s", noHAProxy)
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./hack/bench/line", "-rounds", fmt.Sprint(b.o.rounds), "-seconds", "2",
		"-only", strings.Join(competitors, ","), "-json", out)
	cmd.Stderr, cmd.Stdout = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("hack/bench/line: %w", err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	var document struct {
		Results map[string]map[string]struct {
			Median, RatioToDirect, RatioToHAProxy float64
			Values                                []float64
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	for _, what := range []string{"1", "100"} {
		of := document.Results["streams-"+what]
		for _, name := range competitors {
			var gigabits []float64
			for _, bytes := range of[name].Values {
				gigabits = append(gigabits, bytes*8e-9)
			}
			b.set.Plain(fmt.Sprintf("line, %s streams, %s", what, name), "Gbit/s", gigabits...)
		}
		b.set.AtLeast(fmt.Sprintf("line, %s streams, hanse beside direct", what), "times", 0.6, of["hanse"].RatioToDirect)
		if ratio := of["hanse"].RatioToHAProxy; ratio > 0 {
			b.set.AtLeast(fmt.Sprintf("line, %s streams, hanse beside haproxy", what), "times", 1, ratio)
		}
		cpu := document.Results["streams-"+what+"-cpu"]
		for _, name := range competitors[1:] {
			b.set.Plain(fmt.Sprintf("line, %s streams, CPU of both ends, %s", what, name), "s/GB", cpu[name].Values...)
		}
	}
	connections, cpu := document.Results["connections"]["hanse"], document.Results["connections-cpu"]
	b.set.Plain("line, new connections, hanse", "/s", connections.Values...)
	for _, name := range competitors[1:] {
		b.set.Plain("line, new connections, CPU of both ends, "+name, "s/1000", cpu[name].Values...)
	}
	if connections.RatioToHAProxy > 0 {
		b.set.AtLeast("line, new connections, hanse beside haproxy", "times", 1, connections.RatioToHAProxy)
		b.set.AtMost("line, CPU of new connections, hanse beside haproxy", "times", 1, cpu["hanse"].RatioToHAProxy)
	}
	return nil
}

func (b *bench) bringUp(ctx context.Context) error {
	s, err := harness.New(b.o.name, 3, os.Stderr)
	if err != nil {
		return err
	}
	if b.baseline == 0 {
		parts, err := baseline.Parts(ctx, s, filepath.Join(b.dir, "parts"))
		if err != nil {
			return err
		}
		r, err := baseline.Run(ctx, baseline.Order{Parts: parts, Directory: filepath.Join(b.dir, "baseline"), Way: baseline.Direct})
		if err != nil {
			return err
		}
		b.baseline = r.BringUp()
		b.set.Plain("bring-up without Kubernetes", "s", b.baseline)
	}
	return bringup.Measure(ctx, s, b.o.runs, b.baseline, &b.set)
}
