package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hanse-io/hanse/hack/testbed"
	"github.com/hanse-io/hanse/hack/testbed/project"
)

func upCommand(o *options) *cobra.Command {
	var members, lines int
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make a testbed: a hub's cluster, the members' clusters, and the lines between them",
		Long: `Make a testbed: a hub's cluster, the members' clusters, and the lines between them. testbed.yaml has their names.

On a testbed that is there already, up starts what does not run and adds what is missing; it takes nothing away.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			spec, err := o.spec(members, lines)
			if err != nil {
				return err
			}
			_, err = testbed.Up(cmd.Context(), spec, cmd.ErrOrStderr())
			return err
		},
	}
	cmd.Flags().IntVar(&members, "members", 3, "how many members, numbered from 1")
	cmd.Flags().IntVar(&lines, "lines", 1, "how many lines between every two members")
	cmd.Flags().StringVar(&o.dir, "dir", "", "where to write the kubeconfigs (default .testbed, or .testbed-<name>)")
	programsFlag(cmd, o)
	return cmd
}

func programsFlag(cmd *cobra.Command, o *options) {
	cmd.Flags().StringVar(&o.programs, "programs", "", "a directory with ready programs (etcd, hyperkube, local-provisioner, network-policy); what it lacks is built")
}

// spec is what testbed.yaml and the flags say together.
func (o *options) spec(members, lines int) (testbed.Spec, error) {
	if members < 0 || members > 99 {
		return testbed.Spec{}, fmt.Errorf("%d members: a testbed has from 0 to 99", members)
	}
	known, err := project.Load()
	if err != nil {
		return testbed.Spec{}, err
	}
	dir, err := o.directory()
	if err != nil {
		return testbed.Spec{}, err
	}
	clusters, links := testbed.Star(known.Clusters, members, lines)
	return testbed.Spec{Name: o.name, Dir: dir, Clusters: clusters, Links: links, Allow: known.Allow, Programs: o.programs}, nil
}
