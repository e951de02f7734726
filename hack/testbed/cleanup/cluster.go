package cleanup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hanse-io/hanse/hack/testbed/cgroup"
	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

const killTimeout = 30 * time.Second

// KillCluster lets a cluster die as in a power cut: all its processes and containers at once, then what its machine
// would forget with its memory (mounts, containerd's state). Its disks stay, and so do its LAN and its border, which
// are other people's boxes.
func KillCluster(f *topology.Testbed, name string) error {
	dir := state.ClusterDir(f.Name, name)
	lan := network.NamespacePath(f.LAN(name))
	err := process.KillAll(time.Now().Add(killTimeout), func() ([]int, error) {
		return find(cgroup.OfCluster(f.Name, name), []string{dir}, []string{lan})
	})
	if err != nil {
		return fmt.Errorf("kill cluster %s: %w", name, err)
	}
	err = errors.Join(removeSockets(dir), unmountBelow(dir), removeLogLinks(dir), removeResults(dir),
		cgroup.OfCluster(f.Name, name).Remove(time.Now().Add(killTimeout)))
	if err != nil {
		return fmt.Errorf("kill cluster %s: %w", name, err)
	}
	for _, gone := range []string{"state", "cni-data", "containerd.sock", "containerd.sock.ttrpc"} {
		if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
			return fmt.Errorf("kill cluster %s: %w", name, err)
		}
	}
	return nil
}

// find looks in all three places where a process can be known to be a cluster's.
func find(group cgroup.Group, dirs, namespaces []string) ([]int, error) {
	pids, err := group.PIDs()
	if err != nil {
		return nil, err
	}
	living, err := process.InNamespaces(namespaces...)
	if err != nil {
		return nil, err
	}
	pids = append(pids, living...)
	for _, dir := range dirs {
		records, err := process.List(dir)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if r.Alive() {
				pids = append(pids, r.PID)
			}
		}
	}
	return pids, nil
}
