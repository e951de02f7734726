package cleanup

import (
	"context"
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

// Down takes a testbed away altogether. It goes on after an error, so that as little as possible is left, and it may be
// called for a testbed that is half made, half removed, or not there.
func Down(ctx context.Context, testbed string) error {
	dir := state.Dir(testbed)
	known, loadErr := state.Load(testbed)
	namespaces, err := namespaces(testbed)
	if err != nil {
		return err
	}
	dirs, err := clusterDirs(dir)
	if err != nil {
		return err
	}
	err = process.KillAll(time.Now().Add(killTimeout), func() ([]int, error) {
		return find(cgroup.OfTestbed(testbed), dirs, paths(namespaces))
	})
	if err != nil {
		return fmt.Errorf("take down testbed %s: %w", testbed, err) // with processes alive, nothing else would stay removed
	}
	var failed []error
	for _, each := range dirs {
		failed = append(failed, removeSockets(each))
	}
	failed = append(failed, unmountBelow(dir), removeLogLinks(dir), removeResults(dir))
	failed = append(failed, removeNetwork(ctx, testbed, namespaces), removeDevicePlugins())
	failed = append(failed, cgroup.OfTestbed(testbed).Remove(time.Now().Add(killTimeout)))
	cgroup.RemoveTop()
	if loadErr == nil {
		failed = append(failed, removeKubeconfigs(known))
	}
	if err := errors.Join(failed...); err != nil {
		// The directory stays: a second attempt finds by it what this one has left.
		return fmt.Errorf("take down testbed %s: %w", testbed, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("take down testbed %s: %w", testbed, err)
	}
	removeEmpty(state.Root)
	return nil
}

func namespaces(testbed string) ([]string, error) {
	return network.Namespaces(func(name string) bool { return topology.OwnsNamespace(testbed, name) })
}

func clusterDirs(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(dir, e.Name()))
		}
	}
	return dirs, nil
}

func paths(namespaces []string) []string {
	files := make([]string, 0, len(namespaces))
	for _, name := range namespaces {
		files = append(files, network.NamespacePath(name))
	}
	return files
}

func removeNetwork(ctx context.Context, testbed string, namespaces []string) error {
	links, err := network.MachineLinks(ctx, testbed)
	failed := []error{err}
	for _, link := range links {
		failed = append(failed, network.DeleteLink(ctx, link))
	}
	for _, name := range namespaces {
		failed = append(failed, network.DeleteNamespace(ctx, name))
	}
	network.RemoveDirectory()
	return errors.Join(failed...)
}

func removeKubeconfigs(f *topology.Testbed) error {
	for _, name := range f.ClusterNames() {
		if err := os.Remove(filepath.Join(f.Dir, name+".kubeconfig")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	removeEmpty(f.Dir)
	return nil
}
