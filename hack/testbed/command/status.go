package command

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed"
)

func statusCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the clusters, their processes and nodes, and the lines",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			clusters, err := t.Clusters(cmd.Context())
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
			fmt.Fprintln(table, "CLUSTER\tNODE\tAPI\tPROCESSES\tKUBECONFIG")
			for _, c := range clusters {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", c.Name, c.Node, c.Server, processes(c), c.Kubeconfig)
			}
			if err := table.Flush(); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout())
			return printLines(cmd.Context(), cmd.OutOrStdout(), t)
		},
	}
}

// processes sums up a cluster's programs: how many run, and the names of those that do not.
func processes(c testbed.ClusterStatus) string {
	if c.Err != nil {
		return c.Err.Error()
	}
	text := fmt.Sprintf("%d of %d run", c.Running, c.Programs)
	if len(c.Ended) > 0 {
		text += ", ended: " + strings.Join(c.Ended, " ")
	}
	return text
}
