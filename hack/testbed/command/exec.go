package command

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// withClusterDNS puts a resolv.conf like a pod's over the machine's own, in the command's own mount namespace.
const withClusterDNS = `file=$(mktemp) && printf 'nameserver ` + topology.DNSService + `\nsearch svc.cluster.local cluster.local\noptions ndots:5\n' > "$file" &&
mount --bind "$file" "$(readlink -f /etc/resolv.conf)" && rm "$file" && exec "$@"`

func execCommand(o *options) *cobra.Command {
	var border, dns bool
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
			command := []string{"nsenter", "--net=" + network.NamespacePath(namespace), "--"}
			if dns {
				command = append(command, "unshare", "--mount", "--", "sh", "-c", withClusterDNS, "sh")
			}
			command = append(command, args[1:]...)
			return syscall.Exec(nsenter, command, os.Environ())
		},
	}
	cmd.Flags().BoolVar(&dns, "dns", false, "resolve names as the cluster's pods do")
	cmd.Flags().BoolVar(&border, "border", false, "run it on the cluster's border router instead")
	return cmd
}
