package command

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

func upCommand(o *options) *cobra.Command {
	var members, lines int
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make a testbed: the host's cluster, the members' clusters, and the lines between them",
		Long: `Make a testbed: the host's cluster, the members' clusters, and the lines between them.

On a testbed that is there already, up starts what does not run and adds what is missing; it takes nothing away.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd.Context(), o, members, lines, newProgress(cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().IntVar(&members, "members", 3, "how many organizations: org1, org2, …")
	cmd.Flags().IntVar(&lines, "lines", 1, "how many lines between every two organizations")
	cmd.Flags().StringVar(&o.dir, "dir", "", "where to write the kubeconfigs (default .testbed, or .testbed-<name>)")
	programsFlag(cmd, o)
	return cmd
}

func programsFlag(cmd *cobra.Command, o *options) {
	cmd.Flags().StringVar(&o.programs, "programs", "", "a directory with ready programs (etcd, hyperkube, local-provisioner, network-policy); what it lacks is built")
}

func up(ctx context.Context, o *options, members, lines int, p *progress) error {
	if err := checkMachine(findProgram); err != nil {
		return err
	}
	if err := allowInotify(inotifySetting, p.say); err != nil {
		return err
	}
	parts, images, err := material(ctx, o, p)
	if err != nil {
		return err
	}
	release, err := state.Lock(o.name)
	if err != nil {
		return err
	}
	defer release()
	f, err := plan(o, members, lines)
	if err != nil {
		return err
	}
	if err := network.Up(ctx, f); err != nil {
		return err
	}
	p.say("%d networks and %d lines are there", len(f.Clusters), len(f.Lines))
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range f.Clusters {
		group.Go(func() error { return newCluster(f, c, parts, p.of(c.Name)).Start(ctx, images) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("%w\ntestbed up can be run again and goes on where this one ended; testbed down clears all away", err)
	}
	p.say("the testbed is up; kubectl --kubeconfig %s/%s.kubeconfig get nodes", f.Dir, topology.Host)
	return nil
}

// plan decides what the testbed consists of and writes it down before any of it is made.
func plan(o *options, members, lines int) (*topology.Testbed, error) {
	release, err := state.LockMachine()
	if err != nil {
		return nil, err
	}
	defer release()
	f, err := state.Load(o.name)
	if err != nil {
		dir, dirErr := o.directory()
		if dirErr != nil {
			return nil, dirErr
		}
		f = &topology.Testbed{Name: o.name, Dir: dir}
	}
	known, err := project.Load()
	if err != nil {
		return nil, err
	}
	f.Allow = known.Allow
	inUse, err := network.ManagementTaken()
	if err != nil {
		return nil, err
	}
	planned := state.Taken()
	if err := f.Grow(members, lines, func(n int) bool { return inUse(n) || planned(n) }); err != nil {
		return nil, err
	}
	return f, state.Save(f)
}

// machineParts adds the programs that Debian brings to those that are built.
func machineParts(parts map[string]string) (map[string]string, error) {
	path, err := exec.LookPath("containerd")
	if err != nil {
		return nil, err
	}
	parts["containerd"] = path
	return parts, nil
}
