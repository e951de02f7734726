package command

import (
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed"
)

func execCommand(o *options) *cobra.Command {
	var at testbed.Place
	cmd := &cobra.Command{
		Use:   "exec CLUSTER -- COMMAND...",
		Short: "Run a command on a cluster's LAN, as its node would",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := o.open(cmd)
			if err != nil {
				return err
			}
			at.Cluster = args[0]
			prepared, err := t.Exec(cmd.Context(), at, args[1:]...)
			if err != nil {
				return err
			}
			return syscall.Exec(prepared.Path, prepared.Args, os.Environ())
		},
	}
	cmd.Flags().BoolVar(&at.DNS, "dns", false, "resolve names as the cluster's pods do")
	cmd.Flags().BoolVar(&at.Border, "border", false, "run it on the cluster's border router instead")
	return cmd
}
