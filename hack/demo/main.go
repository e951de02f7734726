// Command demo sets the whole of Hanse up on one machine: a host cluster and the organizations' clusters, one
// consortium, and a transaction. `demo up` does it and says what to try next; it can be run again after a failure.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hanse-io/hanse/hack/harness"
)

// The sample names three organizations.
const (
	sample  = "samples/trade.yaml"
	members = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("demo up", flag.ExitOnError)
	name := flags.String("name", "hanse", "name of the testbed")
	if len(os.Args) < 2 || os.Args[1] != "up" {
		fmt.Fprintln(os.Stderr, "usage: demo up [--name hanse]")
		os.Exit(2)
	}
	_ = flags.Parse(os.Args[2:])
	if err := run(ctx, *name); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n\nWhat is there is left as it is, to look at; `make demo-down` takes it down.\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string) error {
	s, err := harness.New(name, members, os.Stdout)
	if err != nil {
		return err
	}
	if err := s.Up(ctx, sample); err != nil {
		return err
	}
	if err := s.Notarize(ctx, "invoice-1", "org1", "org2", "org3"); err != nil {
		return err
	}
	tree, err := s.Hanse(ctx, "host", "status", "trade")
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\n", tree)
	for _, phase := range s.Took {
		fmt.Printf("%7.1fs  %s\n", phase.Seconds, phase.Name)
	}
	fmt.Print(next)
	return nil
}

const next = `
Running: a host cluster and three organizations' clusters, each on a network of its own; kubeconfigs in .testbed/.
Try next, in this folder:

  export PATH=$PWD/bin:$PATH
  kubectl --kubeconfig .testbed/host.kubeconfig get members,lines,consortia,channels,contracts
  kubectl hanse --kubeconfig .testbed/host.kubeconfig status trade
  kubectl hanse --kubeconfig .testbed/org2.kubeconfig invoke --consortium trade --channel settlement --contract notary --query Get invoice-1
  kubectl --kubeconfig .testbed/org3.kubeconfig -n hanse-trade get pods,services
  bin/testbed line cut org1 org2 && kubectl --kubeconfig .testbed/host.kubeconfig get lines --watch

make demo-down takes it all down.
`
