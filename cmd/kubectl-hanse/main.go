// Command kubectl-hanse is the kubectl plugin: put it on the PATH and call it as `kubectl hanse`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/version"
	"github.com/hanse-io/hanse/kubectl-hanse/audit"
	"github.com/hanse-io/hanse/kubectl-hanse/check"
	"github.com/hanse-io/hanse/kubectl-hanse/environment"
	"github.com/hanse-io/hanse/kubectl-hanse/gather"
	"github.com/hanse-io/hanse/kubectl-hanse/invite"
	"github.com/hanse-io/hanse/kubectl-hanse/invoke"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/profile"
	"github.com/hanse-io/hanse/kubectl-hanse/status"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	fabricprofile "github.com/hanse-io/hanse/ledger/fabric/profile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		code := 1
		var chosen interface{ ExitCode() int }
		if errors.As(err, &chosen) {
			code = chosen.ExitCode()
		}
		os.Exit(code)
	}
}

func command() *cobra.Command {
	flags, tools := kube.Flags(), fabricprofile.Tools{}
	root := &cobra.Command{
		Use:           "kubectl-hanse",
		Short:         "Federate consortium blockchains over Kubernetes clusters",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl hanse"},
		Version:       version.Current,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags.AddFlags(root.PersistentFlags())
	root.AddCommand(invite.Command(flags), status.Command(flags, ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}), profile.Command(flags, tools),
		environment.Command(flags, tools), invoke.Command(flags), audit.Command())
	root.AddCommand(check.Command(flags, version.Current))
	root.AddCommand(gather.Command(flags, version.Current))
	for _, c := range root.Commands() {
		c.Args = sayUsage(c.Args)
	}
	return root
}

// sayUsage adds to what is wrong with the number of arguments how the command is written.
func sayUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return fmt.Errorf("%w: write `%s`; --help shows the flags", err, c.UseLine())
		}
		return nil
	}
}
