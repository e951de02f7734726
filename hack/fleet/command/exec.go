package command

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/fleet/network"
)

func execCommand(o *options) *cobra.Command {
	var border bool
	cmd := &cobra.Command{
		Use:   "exec CLUSTER -- COMMAND...",
		Short: "Run a command on a cluster's LAN, as its node would",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := o.existing()
			if err != nil {
				return err
			}
			if _, err := f.Cluster(args[0]); err != nil {
				return err
			}
			namespace := f.LAN(args[0])
			if border {
				namespace = f.Border(args[0])
			}
			nsenter, err := exec.LookPath("nsenter")
			if err != nil {
				return err
			}
			command := append([]string{"nsenter", "--net=" + network.NamespacePath(namespace), "--"}, args[1:]...)
			return syscall.Exec(nsenter, command, os.Environ())
		},
	}
	cmd.Flags().BoolVar(&border, "border", false, "run it on the cluster's border router instead")
	return cmd
}
