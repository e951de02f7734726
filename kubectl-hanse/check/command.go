package check

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	"github.com/hanse-io/hanse/kubectl-hanse/output"
)

// Roles that a cluster can be made ready for.
const (
	RoleHost   = "host"
	RoleMember = "member"
)

type options struct {
	pre       bool
	format    *output.Format
	namespace string
	version   string
	timeout   time.Duration
	preOptions
}

// preOptions count before installing only.
type preOptions struct {
	role, storageClass, hostServer, hostCAFile string
}

// Command is `kubectl hanse check`. version is the plugin's own.
func Command(flags *genericclioptions.ConfigFlags, version string) *cobra.Command {
	o := options{version: version, format: output.NewFormat("")}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a cluster before Hanse is installed (--pre), or what is installed in it",
		Long: `Check a cluster before Hanse is installed (--pre), or what is installed in it.

It changes nothing, and says of each thing that is wrong how to mend it. Exit code 1 if a check has failed; 0 if there are
warnings only.`,
		Example: `  kubectl hanse check --pre --role host
  kubectl hanse check --pre --role member --host-server https://HOST-AS-ORG1-SEES-IT:6443 --host-ca ca.pem
  kubectl hanse check
  kubectl hanse check -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			cluster, err := kube.Open(flags)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
			defer cancel()
			report, err := o.run(ctx, cluster, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return report.Err()
		},
	}
	cmd.Flags().BoolVar(&o.pre, "pre", false, "check whether Hanse can be installed in this cluster")
	cmd.Flags().StringVar(&o.role, "role", "", "with --pre: host or member; what the cluster serves already decides if empty, and a member's otherwise")
	cmd.Flags().StringVar(&o.storageClass, "storage-class", "", "with --pre: StorageClass that the nodes will use; the default one if empty")
	cmd.Flags().StringVar(&o.hostServer, "host-server", "", "with --pre: URL of the host's API server, which is tried from this machine")
	cmd.Flags().StringVar(&o.hostCAFile, "host-ca", "", "with --host-server: PEM file of the authority behind it; the system's authorities if empty")
	cmd.Flags().StringVar(&o.namespace, "release-namespace", "hanse-system", "namespace that Hanse is installed in")
	o.format.AddFlags(cmd)
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long all checks may take")
	return cmd
}

func (o options) validate() error {
	switch {
	case o.role != "" && o.role != RoleHost && o.role != RoleMember:
		return exitcode.Usagef("--role %q is neither host nor member", o.role)
	case !o.pre && o.preOptions != (preOptions{}):
		return exitcode.Usagef("--role, --storage-class, --host-server and --host-ca go with --pre: add it, or leave them out")
	case o.hostCAFile != "" && o.hostServer == "":
		return exitcode.Usagef("--host-ca goes with --host-server: add the URL of the host's API server")
	}
	return o.format.Validate()
}

// run checks, and prints: before installing as it proceeds, afterwards what is wrong first.
func (o options) run(ctx context.Context, cluster *kube.Cluster, out io.Writer) (Report, error) {
	progress := func(r Result) {
		if o.format.ForPeople() && o.pre {
			fmt.Fprint(out, r.Text())
		}
	}
	var report Report
	var err error
	if o.pre {
		report, err = o.before(ctx, cluster, progress)
	} else {
		report, err = Installed(ctx, cluster, o.namespace, o.version)
	}
	switch {
	case err != nil:
		return report, err
	case !o.format.ForPeople():
		return report, o.format.Print(out, "CheckReport", &report)
	case o.pre:
		fmt.Fprint(out, report.Summary())
	default:
		fmt.Fprint(out, report.Text())
	}
	return report, nil
}
