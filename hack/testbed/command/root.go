package command

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed"
	"github.com/hanse-io/hanse/hack/testbed/buildcmd"
	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// options are the flags that every command has.
type options struct {
	defaultName string
	name        string
	dir         string
	programs    string
}

// Root is the testbed command.
func Root() *cobra.Command {
	o := &options{defaultName: "testbed"}
	p, broken := project.Load()
	switch {
	case broken == nil:
		o.defaultName = p.Name
	case errors.Is(broken, project.ErrNoClone): // what runs can be looked at from anywhere, by its name
		broken = nil
	}
	root := &cobra.Command{
		Use:           "testbed",
		Short:         "Real Kubernetes clusters on one Linux machine, joined by lines that can be cut",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if os.Geteuid() != 0 {
				return errors.New("network namespaces, mounts and cgroups are root's alone: run testbed as root (sudo)")
			}
			if broken != nil && !cmd.Flags().Changed("name") {
				return broken // another testbed than the project's would be taken for it
			}
			return topology.ValidateName(o.name)
		},
	}
	root.PersistentFlags().StringVar(&o.name, "name", o.defaultName, "name of the testbed; several live side by side")
	root.AddCommand(upCommand(o), downCommand(o), statusCommand(o), loadCommand(o), killCommand(o), startCommand(o),
		execCommand(o), lineCommand(o), addressCommand(o))
	root.AddCommand(buildcmd.Commands()...)
	return root
}

// directory is where the kubeconfigs go: .testbed here for the default testbed, .testbed-<name> for others.
func (o *options) directory() (string, error) {
	dir := o.dir
	if dir == "" {
		dir = ".testbed"
		if o.name != o.defaultName {
			dir += "-" + o.name
		}
	}
	return filepath.Abs(dir)
}

// open finds the testbed; progress goes to the command's stderr.
func (o *options) open(cmd *cobra.Command) (*testbed.Testbed, error) {
	t, err := testbed.Open(o.name, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	t.UsePrograms(o.programs)
	return t, nil
}
