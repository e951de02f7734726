package command

import (
	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed"
)

func downCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take a testbed away with all its data, also one that is half made",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return testbed.Down(cmd.Context(), o.name, cmd.ErrOrStderr())
		},
	}
}
