// Command member-agent is what Hanse runs in an organization's cluster: `run` is the agent, which carries out the
// organization's plans; `gateway` is the router at its line ends; `invoke` calls a contract. This package turns flags
// into options and wires the packages of member-agent together; it must know nothing of how any of them does its
// work.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set by the linker.
var version = "0.1.0"

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
		Version:      version,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
	}
	root.AddCommand(runCommand(), gatewayCommand(), invokeCommand())
	return root
}

// logging is how a subcommand logs.
type logging struct{ level, format string }

func (l *logging) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&l.level, "log-level", "info", "least level that is logged: debug, info, warn or error")
	flags.StringVar(&l.format, "log-format", "json", "format of the logs: json or text")
}

// set makes the logger that the flags ask for the one that every library uses.
func (l *logging) set() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: use debug, info, warn or error", l.level)
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch l.format {
	case "json":
		handler = slog.NewJSONHandler(os.Stderr, options)
	case "text":
		handler = slog.NewTextHandler(os.Stderr, options)
	default:
		return nil, fmt.Errorf("--log-format %q: use json or text", l.format)
	}
	log := slog.New(handler)
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(log)
	return log, nil
}
