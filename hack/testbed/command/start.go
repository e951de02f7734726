package command

import "github.com/spf13/cobra"

func startCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start CLUSTER",
		Short: "Start a killed cluster with its data, or what of a cluster does not run",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := newProgress(cmd.ErrOrStderr())
			f, release, err := o.locked()
			if err != nil {
				return err
			}
			defer release()
			c, err := f.Cluster(args[0])
			if err != nil {
				return err
			}
			parts, images, err := material(cmd.Context(), o, p)
			if err != nil {
				return err
			}
			return newCluster(f, c, parts, p.of(c.Name)).Start(cmd.Context(), images)
		},
	}
	programsFlag(cmd, o)
	return cmd
}
