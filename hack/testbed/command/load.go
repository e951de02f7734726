package command

import (
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func loadCommand(o *options) *cobra.Command {
	var only []string
	cmd := &cobra.Command{
		Use:   "load IMAGE...",
		Short: "Load image archives (docker save, OCI), or images of the project by name, into every cluster",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := newProgress(cmd.ErrOrStderr())
			f, err := o.existing()
			if err != nil {
				return err
			}
			clusters, err := chosen(f, only)
			if err != nil {
				return err
			}
			paths, err := archives(cmd.Context(), p, args)
			if err != nil {
				return err
			}
			group, ctx := errgroup.WithContext(cmd.Context())
			for _, c := range clusters {
				group.Go(func() error {
					for _, archive := range paths {
						if err := newCluster(f, c, nil, nil).Load(ctx, archive); err != nil {
							return err
						}
						p.say("%-6s %s loaded", c.Name, filepath.Base(archive))
					}
					return nil
				})
			}
			return group.Wait()
		},
	}
	cmd.Flags().StringSliceVar(&only, "cluster", nil, "load into these clusters alone")
	return cmd
}

// chosen are the named clusters, or all if none is named.
func chosen(f *topology.Testbed, names []string) ([]topology.Cluster, error) {
	if len(names) == 0 {
		return f.Clusters, nil
	}
	var clusters []topology.Cluster
	for _, name := range names {
		c, err := f.Cluster(name)
		if err != nil {
			return nil, err
		}
		clusters = append(clusters, c)
	}
	return clusters, nil
}
