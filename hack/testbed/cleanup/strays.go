package cleanup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Places outside the clusters' directories in which their programs keep files, because no setting moves them.
const (
	shimSockets   = "/run/containerd/s"
	cniResults    = "/var/lib/cni/results"
	containerLogs = "/var/log/containers"
	devicePlugins = "/var/lib/kubelet/device-plugins"
)

// removeSockets removes the sockets that the containerd shims of clusters below dir have left; each shim's bundle
// says where its socket is.
func removeSockets(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "state", "io.containerd.runtime.v2.task", "*", "*", "address"))
	if err != nil {
		return err
	}
	var failed []error
	for _, file := range files {
		content, err := os.ReadFile(file)
		socket, ok := strings.CutPrefix(strings.TrimSpace(string(content)), "unix://")
		if err != nil || !ok || filepath.Dir(socket) != shimSockets {
			continue
		}
		if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("remove the socket of a containerd shim: %w", err))
		}
	}
	top := filepath.Dir(shimSockets)
	removeEmpty(shimSockets, filepath.Join(top, "fifo"), filepath.Join(top, "runc", "k8s.io"), filepath.Join(top, "runc"), top)
	return errors.Join(failed...)
}

// removeResults removes what the CNI library remembers of pods whose network namespaces are below dir.
func removeResults(dir string) error {
	entries, err := os.ReadDir(cniResults)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		file := filepath.Join(cniResults, e.Name())
		content, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(content, []byte(`"sandbox":"`+dir+"/")) {
			continue
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("remove a CNI result: %w", err)
		}
	}
	removeEmpty(cniResults, filepath.Dir(cniResults))
	return nil
}

// removeLogLinks removes the links to container logs below dir that kubelets have made.
func removeLogLinks(dir string) error {
	entries, err := os.ReadDir(containerLogs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		link := filepath.Join(containerLogs, e.Name())
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir+"/") {
			if err := os.Remove(link); err != nil {
				return fmt.Errorf("remove a link to a container's log: %w", err)
			}
		}
	}
	removeEmpty(containerLogs)
	return nil
}

// removeDevicePlugins removes the socket at which the last kubelet on this machine awaited device plugins. All kubelets
// use the same path; one that is alive keeps it.
func removeDevicePlugins() error {
	socket := filepath.Join(devicePlugins, "kubelet.sock")
	connection, err := net.Dial("unix", socket)
	if err == nil {
		return connection.Close()
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the kubelet's socket for device plugins: %w", err)
	}
	removeEmpty(devicePlugins, filepath.Dir(devicePlugins))
	return nil
}

// removeEmpty removes directories that nobody uses any more; one with something in it stays.
func removeEmpty(dirs ...string) {
	for _, dir := range dirs {
		_ = os.Remove(dir)
	}
}
