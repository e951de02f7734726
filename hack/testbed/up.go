package testbed

import (
	"context"
	"fmt"
	"io"
	"os/exec"

	"golang.org/x/sync/errgroup"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Up makes a testbed and returns when every node is ready and every cluster's DNS answers. On a testbed that is there
// already, it starts what does not run and adds what is missing; it takes nothing away. Progress goes to out. After an
// error, it can be called again and goes on where it ended.
func Up(ctx context.Context, spec Spec, out io.Writer) (*Testbed, error) {
	t := &Testbed{name: spec.Name, programs: spec.Programs, progress: newProgress(out)}
	if err := topology.ValidateName(spec.Name); err != nil {
		return nil, err
	}
	if err := checkMachine(findProgram); err != nil {
		return nil, err
	}
	if err := allowInotify(inotifySetting, t.progress.say); err != nil {
		return nil, err
	}
	programs, images, err := material(ctx, spec.Programs, t.progress)
	if err != nil {
		return nil, err
	}
	more, err := archives(ctx, t.progress, spec.Images)
	if err != nil {
		return nil, err
	}
	return t, t.up(ctx, spec, programs, append(images, more...))
}

func (t *Testbed) up(ctx context.Context, spec Spec, programs map[string]string, images []string) error {
	release, err := state.Lock(t.name)
	if err != nil {
		return err
	}
	defer release()
	f, err := plan(spec)
	if err != nil {
		return err
	}
	if err := network.Up(ctx, f); err != nil {
		return err
	}
	t.progress.say("%d networks and %d lines are there", len(f.Clusters), len(f.Lines))
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range f.Clusters {
		group.Go(func() error { return newCluster(f, c, programs, t.progress.of(c.Name)).Start(ctx, images) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("%w\ntestbed up can be run again and goes on where this one ended; testbed down clears all away", err)
	}
	t.progress.say("the testbed is up; kubectl --kubeconfig %s/%s.kubeconfig get nodes", f.Dir, f.Clusters[0].Name)
	return nil
}

// plan decides what the testbed consists of and writes it down before any of it is made.
func plan(spec Spec) (*topology.Testbed, error) {
	release, err := state.LockMachine()
	if err != nil {
		return nil, err
	}
	defer release()
	f, err := state.Load(spec.Name)
	if err != nil {
		f = &topology.Testbed{}
	}
	inUse, err := network.ManagementTaken()
	if err != nil {
		return nil, err
	}
	planned := state.Taken()
	if err := spec.grow(f, func(n int) bool { return inUse(n) || planned(n) }); err != nil {
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
