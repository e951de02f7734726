package command

import (
	"github.com/spf13/cobra"
)

func killCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "kill CLUSTER",
		Short: "Let a cluster die as in a power cut; its data, its network and its lines stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			return t.Kill(args[0])
		},
	}
}

func startCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start CLUSTER",
		Short: "Start a killed cluster with its data, or what of a cluster does not run",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			return t.Start(cmd.Context(), args[0])
		},
	}
	programsFlag(cmd, o)
	return cmd
}

func loadCommand(o *options) *cobra.Command {
	var only []string
	cmd := &cobra.Command{
		Use:   "load IMAGE...",
		Short: "Load image archives (docker save, OCI), or images of the project by name, into every cluster",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			return t.Load(cmd.Context(), only, args...)
		},
	}
	cmd.Flags().StringSliceVar(&only, "cluster", nil, "load into these clusters alone")
	return cmd
}
