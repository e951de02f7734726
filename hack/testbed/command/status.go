package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func statusCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the clusters, their processes and nodes, and the lines",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := o.existing()
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
			fmt.Fprintln(table, "CLUSTER\tNODE\tAPI\tPROCESSES\tKUBECONFIG")
			for _, c := range f.Clusters {
				programs := processes(state.ClusterDir(f.Name, c.Name))
				one := newCluster(f, c, nil, nil)
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", c.Name, node(cmd.Context(), f, c), c.Server(), programs, one.Kubeconfig())
			}
			if err := table.Flush(); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout())
			return printLines(cmd.Context(), cmd.OutOrStdout(), f)
		},
	}
}

func node(ctx context.Context, f *topology.Testbed, c topology.Cluster) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return newCluster(f, c, nil, nil).NodeState(ctx)
}

// processes sums up a cluster's programs: how many run, and the names of those that do not.
func processes(dir string) string {
	records, err := process.List(dir)
	if err != nil {
		return err.Error()
	}
	var ended []string
	for _, r := range records {
		if !r.Alive() {
			ended = append(ended, r.Name)
		}
	}
	slices.Sort(ended)
	text := fmt.Sprintf("%d of %d run", len(records)-len(ended), len(records))
	if len(ended) > 0 {
		text += ", ended: " + strings.Join(ended, " ")
	}
	return text
}
