package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed/cleanup"
	"github.com/hanse-io/hanse/hack/testbed/state"
)

func downCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take a testbed away with all its data, also one that is half made",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := newProgress(cmd.ErrOrStderr())
			release, err := state.Lock(o.name)
			if err != nil {
				return err
			}
			defer release()
			// An interrupt must not leave half of a testbed: what has begun to go, goes.
			if err := cleanup.Down(context.WithoutCancel(cmd.Context()), o.name); err != nil {
				return fmt.Errorf("%w\ntestbed down can be run again", err)
			}
			p.say("testbed %s is gone", o.name)
			return nil
		},
	}
}

func killCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "kill CLUSTER",
		Short: "Let a cluster die as in a power cut; its data, its network and its lines stay",
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
			if err := cleanup.KillCluster(f, c.Name); err != nil {
				return err
			}
			p.say("%s is dead; testbed start %s brings it back", c.Name, c.Name)
			return nil
		},
	}
}
