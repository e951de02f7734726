// Package profile prints a connection profile for applications, as the organization's own agent has put it together from
// what it has verified. It runs in the organization's own cluster. It must not read a Secret, nor talk to the host.
package profile

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/kubectl-hanse/connection"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/ledger"
)

// Command is `kubectl hanse profile`.
func Command(flags *genericclioptions.ConfigFlags, tools ledger.Tools) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "profile CONSORTIUM",
		Short: "Print the connection profile of this organization's applications, from what its agent has verified",
		Example: `  kubectl hanse profile trade > connection.yaml
  kubectl hanse profile trade -o json > connection.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "yaml" && output != "json" {
				return fmt.Errorf("--output %q is neither yaml nor json", output)
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
			text := found.Profile
			if output == "yaml" {
				if text, err = yaml.JSONToYAML(text); err != nil {
					return err
				}
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "yaml or json")
	return cmd
}
