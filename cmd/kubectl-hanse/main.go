// Command kubectl-hanse is the kubectl plugin: put it on the PATH and call it as `kubectl hanse`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/version"
	"github.com/hanse-io/hanse/kubectl-hanse/audit"
	"github.com/hanse-io/hanse/kubectl-hanse/check"
	"github.com/hanse-io/hanse/kubectl-hanse/completion"
	"github.com/hanse-io/hanse/kubectl-hanse/environment"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/gather"
	"github.com/hanse-io/hanse/kubectl-hanse/invite"
	"github.com/hanse-io/hanse/kubectl-hanse/invoke"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/profile"
	"github.com/hanse-io/hanse/kubectl-hanse/status"
	versions "github.com/hanse-io/hanse/kubectl-hanse/version"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	fabricprofile "github.com/hanse-io/hanse/ledger/fabric/profile"
)

// completer is the name under which kubectl calls the plugin to complete a command line.
const completer = "kubectl_complete-hanse"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The client's library says otherwise, after half a minute and with a stack, that nobody has set where it logs.
	ctrllog.SetLogger(logr.Discard())
	root := command()
	root.SetArgs(arguments(os.Args))
	err := root.ExecuteContext(ctx)
	code := exitcode.Of(err)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		if code == exitcode.Failed && ctx.Err() != nil {
			code = exitcode.Interrupted
		}
	}
	stop()
	os.Exit(code)
}

// arguments are those of a command line, which the program's own name is part of. Pure.
func arguments(line []string) []string {
	if name := strings.TrimSuffix(filepath.Base(line[0]), ".exe"); name == completer {
		return append([]string{cobra.ShellCompRequestCmd}, line[1:]...)
	}
	return line[1:]
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
	completion.Global(root, flags)
	// What it would print completes `kubectl-hanse`, which nobody types.
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(invite.Command(flags), status.Command(flags, ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}), profile.Command(flags, tools),
		environment.Command(flags, tools), invoke.Command(flags), audit.Command(), check.Command(flags, version.Current),
		gather.Command(flags, version.Current), versions.Command(flags, version.Current))
	for _, c := range root.Commands() {
		c.Args = sayUsage(c.Args)
	}
	codeUsage(root)
	return root
}

// codeUsage has whatever is wrong with a command line before the command itself runs end with the code for that: flags and
// arguments, and combinations of them. Of the commands below, each says by itself what it finds wrong.
func codeUsage(root *cobra.Command) {
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return exitcode.With(exitcode.Usage, fmt.Errorf("%w; %s --help shows the flags", err, c.CommandPath()))
	})
	root.Args = func(c *cobra.Command, args []string) error {
		err := cobra.NoArgs(c, args)
		if err != nil {
			if like := c.SuggestionsFor(args[0]); len(like) > 0 {
				err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(like, " or "))
			}
		}
		return exitcode.With(exitcode.Usage, err)
	}
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	for _, c := range root.Commands() {
		// cobra checks these two after this, and its own errors pass through nobody's hands.
		c.PreRunE = func(c *cobra.Command, _ []string) error {
			if err := c.ValidateRequiredFlags(); err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
			return exitcode.With(exitcode.Usage, c.ValidateFlagGroups())
		}
	}
}

// sayUsage adds to what is wrong with the number of arguments how the command is written.
func sayUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return exitcode.Usagef("%w: write `%s`; --help shows the flags", err, c.UseLine())
		}
		return nil
	}
}
