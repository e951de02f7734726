// Command member-agent is what Hanse runs in an organization's cluster: `run` is the agent, which carries out the
// organization's plans; `invoke` calls a contract. This package turns flags
// into options and wires the packages of member-agent together; it must know nothing of how any of them does its
// work.
package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/hanse-io/hanse/internal/version"
)

func main() {
	if err := command().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		code := 1
		var chosen interface{ ExitCode() int }
		if errors.As(err, &chosen) {
			code = chosen.ExitCode()
		}
		os.Exit(code)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:          "member-agent",
		Short:        "Hanse in an organization's cluster",
		Version:      version.Current,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
	}
	root.AddCommand(runCommand(), invokeCommand())
	return root
}
