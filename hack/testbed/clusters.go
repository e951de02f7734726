package testbed

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hanse-io/hanse/hack/testbed/cleanup"
	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Kill lets a cluster die as in a power cut; its data, its network and its lines stay.
func (t *Testbed) Kill(cluster string) error {
	return t.change(func(f *topology.Testbed) error {
		c, err := f.Cluster(cluster)
		if err != nil {
			return err
		}
		if err := cleanup.KillCluster(f, c.Name); err != nil {
			return err
		}
		t.progress.say("%s is dead; testbed start %s brings it back", c.Name, c.Name)
		return nil
	})
}

// Start starts a killed cluster with its data, or what of a cluster does not run, and returns when its node is ready.
func (t *Testbed) Start(ctx context.Context, cluster string) error {
	return t.change(func(f *topology.Testbed) error {
		c, err := f.Cluster(cluster)
		if err != nil {
			return err
		}
		programs, images, err := material(ctx, t.programs, t.progress)
		if err != nil {
			return err
		}
		return newCluster(f, c, programs, t.progress.of(c.Name)).Start(ctx, images)
	})
}

// Load loads images into clusters, into all if none is named. Images are archives (docker save, OCI), or names of images
// that testbed.yaml describes, which are built.
func (t *Testbed) Load(ctx context.Context, clusters []string, images ...string) error {
	f, err := state.Load(t.name)
	if err != nil {
		return err
	}
	chosen, err := chosen(f, clusters)
	if err != nil {
		return err
	}
	paths, err := archives(ctx, t.progress, images)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range chosen {
		group.Go(func() error {
			for _, archive := range paths {
				if err := newCluster(f, c, nil, nil).Load(ctx, archive); err != nil {
					return err
				}
				t.progress.say("%-6s %s loaded", c.Name, filepath.Base(archive))
			}
			return nil
		})
	}
	return group.Wait()
}

// chosen are the named clusters, or all if none is named.
func chosen(f *topology.Testbed, names []string) ([]topology.Cluster, error) {
	if len(names) == 0 {
		return f.Clusters, nil
	}
	var clusters []topology.Cluster
	for _, name := range names {
		c, err := f.Cluster(name)
		if err != nil {
			return nil, err
		}
		clusters = append(clusters, c)
	}
	return clusters, nil
}

// ClusterStatus is how a cluster is.
type ClusterStatus struct {
	Name string
	// Node is Ready, NotReady, or what is in the way of knowing.
	Node string
	// Server is the URL of the kube-apiserver for this machine.
	Server string
	// Kubeconfig is for use on this machine.
	Kubeconfig string
	// Running of the cluster's Programs do run; Ended are the names of those that do not, in order.
	Running, Programs int
	Ended             []string
	// Err says why the programs are not known.
	Err error
}

// nodeTimeout is how long a cluster's API server has to tell how its node is.
const nodeTimeout = 5 * time.Second

// Clusters tells how the clusters are.
func (t *Testbed) Clusters(ctx context.Context) ([]ClusterStatus, error) {
	f, err := state.Load(t.name)
	if err != nil {
		return nil, err
	}
	var all []ClusterStatus
	for _, c := range f.Clusters {
		one := newCluster(f, c, nil, nil)
		s := ClusterStatus{Name: c.Name, Server: c.Server(), Kubeconfig: one.Kubeconfig()}
		records, err := process.List(one.Dir)
		s.Programs, s.Err = len(records), err
		for _, r := range records {
			if !r.Alive() {
				s.Ended = append(s.Ended, r.Name)
			}
		}
		s.Running = s.Programs - len(s.Ended)
		slices.Sort(s.Ended)
		limited, cancel := context.WithTimeout(ctx, nodeTimeout)
		s.Node = one.NodeState(limited)
		cancel()
		all = append(all, s)
	}
	return all, nil
}
