package fabrictest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/ledger"
)

// mountAll lays out a pod's volumes under a directory, as a kubelet would, and returns where each mount path went.
func (m *Member) mountAll(workload ledger.Workload, root string) (paths []string, err error) {
	volumes := map[string]corev1.Volume{}
	for _, volume := range workload.Pod.Volumes {
		volumes[volume.Name] = volume
	}
	for _, mount := range workload.Pod.Containers[0].VolumeMounts {
		files, err := m.filesOf(workload, mount.Name, volumes[mount.Name])
		if err != nil {
			return nil, err
		}
		directory := filepath.Join(root, mount.Name)
		if err := project(directory, files); err != nil {
			return nil, err
		}
		paths = append(paths, mount.MountPath, directory)
	}
	return paths, nil
}

// filesOf is what a volume holds at the start.
func (m *Member) filesOf(workload ledger.Workload, name string, volume corev1.Volume) (map[string]string, error) {
	switch {
	case name == ledger.FilesVolume:
		return workload.Files, nil
	case volume.Secret != nil:
		return m.secret(volume.Secret.SecretName)
	case volume.Projected != nil:
		files := map[string]string{}
		for _, source := range volume.Projected.Sources {
			content, items := workload.Files, []corev1.KeyToPath(nil)
			switch {
			case source.ConfigMap != nil && source.ConfigMap.Name == workload.Name:
				items = source.ConfigMap.Items
			case source.Secret != nil:
				var err error
				if content, err = m.secret(source.Secret.Name); err != nil {
					return nil, err
				}
				items = source.Secret.Items
			default:
				return nil, fmt.Errorf("volume %s projects something unknown", name)
			}
			for _, item := range items {
				files[item.Path] = content[item.Key]
			}
		}
		return files, nil
	default:
		return nil, nil
	}
}

func (m *Member) secret(name string) (map[string]string, error) {
	pair, found := m.identities[name]
	if !found {
		return nil, fmt.Errorf("there is no Secret %s", name)
	}
	return map[string]string{
		"tls.crt": string(pair.Certificate), "tls.key": string(pair.Key), "ca.crt": string(pair.CA),
	}, nil
}

// project writes files behind symbolic links, the way a kubelet does it: some programs do not follow them.
func project(directory string, files map[string]string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for path, content := range files {
		full := filepath.Join(directory, "..data", path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			return err
		}
		top, _, _ := strings.Cut(path, "/")
		if err := os.Symlink(filepath.Join("..data", top), filepath.Join(directory, top)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}
