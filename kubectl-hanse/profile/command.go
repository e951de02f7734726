// Package profile prints a connection profile for applications, as the organization's own agent has put it together from
// what it has verified. It runs in the organization's own cluster. It must not read a Secret, nor talk to the host.
package profile

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/kubectl-hanse/completion"
	"github.com/hanse-io/hanse/kubectl-hanse/connection"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
	"github.com/hanse-io/hanse/ledger"
)

// Command is `kubectl hanse profile`.
func Command(flags *genericclioptions.ConfigFlags, tools ledger.Tools) *cobra.Command {
	format := output.NewFormat("yaml")
	cmd := &cobra.Command{
		Use:   "profile CONSORTIUM",
		Short: "Print the connection profile of this organization's applications, from what its agent has verified",
		Example: `  kubectl hanse profile trade > connection.yaml
  kubectl hanse profile trade -o json > connection.json
  kubectl hanse profile trade -o jsonpath='{.client.organization}'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := format.Validate(); err != nil {
				return err
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			found, err := connection.Read(cmd.Context(), cluster.Client, tools, "profile", args[0])
			if err != nil {
				return err
			}
			if len(found.Missing) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "# not in it yet: %s. `kubectl hanse status %s` says what for\n", strings.Join(found.Missing, ", "), args[0])
			}
			return write(cmd.OutOrStdout(), format, found.Profile)
		},
		ValidArgsFunction: completion.First(completion.Consortia(flags, true)),
	}
	format.AddFlags(cmd)
	return cmd
}

// write prints the profile as it is, whose format is the ledger's and not the plugin's, or what a template makes of it.
func write(out io.Writer, format *output.Format, profile []byte) error {
	var err error
	switch format.Chosen() {
	case "json":
	case "yaml":
		profile, err = yaml.JSONToYAML(profile)
	default:
		var fields map[string]any
		if err := json.Unmarshal(profile, &fields); err != nil {
			return err
		}
		printer, err := format.Printer()
		if err != nil {
			return err
		}
		return printer.PrintForeign(out, fields)
	}
	if err == nil {
		_, err = out.Write(profile)
	}
	return err
}
