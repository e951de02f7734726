package testbed

import (
	"io"
	"path/filepath"

	"github.com/hanse-io/hanse/hack/testbed/cluster"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// ErrNone says that there is no such testbed.
var ErrNone = state.ErrNone

// Testbed is a testbed that there is. It holds no state of its own: each call goes by what is on the machine then.
type Testbed struct {
	name     string
	programs string
	progress *progress
}

// Open finds a testbed by its name. Progress of what is done with it goes to out.
func Open(name string, out io.Writer) (*Testbed, error) {
	if err := topology.ValidateName(name); err != nil {
		return nil, err
	}
	if _, err := state.Load(name); err != nil {
		return nil, err
	}
	return &Testbed{name: name, progress: newProgress(out)}, nil
}

// UsePrograms takes ready programs from a directory, in Start; what it lacks is built.
func (t *Testbed) UsePrograms(dir string) { t.programs = dir }

// Kubeconfig is the path of a cluster's kubeconfig for this machine.
func (t *Testbed) Kubeconfig(cluster string) (string, error) {
	f, err := state.Load(t.name)
	if err != nil {
		return "", err
	}
	if _, err := f.Cluster(cluster); err != nil {
		return "", err
	}
	return filepath.Join(f.Dir, cluster+".kubeconfig"), nil
}

// change runs something that changes the testbed, alone.
func (t *Testbed) change(do func(f *topology.Testbed) error) error {
	if _, err := state.Load(t.name); err != nil {
		return err // before locking, which would make a directory for a testbed that is not there
	}
	release, err := state.Lock(t.name)
	if err != nil {
		return err
	}
	defer release()
	f, err := state.Load(t.name)
	if err != nil {
		return err
	}
	return do(f)
}

func newCluster(f *topology.Testbed, c topology.Cluster, parts map[string]string, report func(string)) *cluster.Cluster {
	return &cluster.Cluster{Cluster: c, Testbed: f, Dir: state.ClusterDir(f.Name, c.Name), Parts: parts, Report: report}
}
