// Command line measures what a pair of gateways costs on a line, next to no gateway at all and next to a pair of
// HAProxies that route by the same server name. It makes two network namespaces joined by a veth pair, runs every
// competitor in them one after another, several rounds of it, and prints medians and ratios as a table and as JSON.
//
//	go run ./hack/bench/line                          # root is needed, and haproxy for the comparison
//	go run ./hack/bench/line -rounds 5 -seconds 3 -json line.json
//
// It must not know anything of Hanse but how to run a gateway; it leaves nothing behind.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type settings struct {
	rounds   int
	duration time.Duration
	streams  []int
	workers  int
	only     []string
	json     string
	profile  string
	user     int
}

func main() {
	if len(os.Args) > 1 {
		if role, ok := roles[os.Args[1]]; ok {
			if err := role(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, readFlags())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// roles are what the program runs itself as, within the namespaces.
var roles = map[string]func(args []string) error{
	"role-sink": sinkRole, "role-pump": pumpRole, "role-connect": connectRole, "role-gateway": gatewayRole,
}

func readFlags() settings {
	var s settings
	var seconds float64
	var only, streams string
	flag.IntVar(&s.rounds, "rounds", 5, "how often every competitor runs")
	flag.Float64Var(&seconds, "seconds", 3, "how long each measurement takes")
	flag.IntVar(&s.workers, "workers", 16, "clients that open connections at once, in the measurement of their rate")
	flag.StringVar(&only, "only", "direct,hanse,haproxy,haproxy-splice", "competitors, divided by commas")
	flag.StringVar(&streams, "streams", "1,100", "numbers of streams, divided by commas; none if empty")
	flag.StringVar(&s.json, "json", "", "file to write the results to")
	flag.StringVar(&s.profile, "profile", "", "directory to write the gateways' CPU profiles to")
	flag.IntVar(&s.user, "user", 0, "user that gateways and HAProxies run as; 65532 is what a gateway's pod runs as")
	flag.Parse()
	s.duration = time.Duration(seconds * float64(time.Second))
	for word := range strings.FieldsFuncSeq(streams, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "-streams: %q is no number of streams: give some like 1,100\n", word)
			os.Exit(2)
		}
		s.streams = append(s.streams, n)
	}
	s.only = strings.Split(only, ",")
	return s
}

func run(ctx context.Context, s settings) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("network namespaces can be made by root only: run this as root")
	}
	dir, err := os.MkdirTemp("", "hanse-bench-line-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	n, err := makeNetwork(ctx)
	if err != nil {
		return err
	}
	defer n.remove()
	r := newResults()
	for round := range s.rounds {
		for _, name := range s.only {
			c, ok := competitors[name]
			if !ok {
				return fmt.Errorf("%q is no competitor: take direct, hanse, haproxy or haproxy-splice", name)
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.rounds, name)
			if err := measure(ctx, s, n, dir, name, c, r); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if err := r.print(os.Stdout, s); err != nil {
		return err
	}
	if s.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(r.document(s), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.json, append(text, '\n'), 0o644)
}
