package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// directories provisions volumes as directories named <pv>_<namespace>_<claim> under root, so that a person who looks
// there finds whose data it is.
type directories struct{ root string }

var _ controller.Provisioner = (*directories)(nil)

// Provision makes the directory and describes it. It is idempotent: a directory that is there already is kept.
func (d *directories) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	claim := o.PVC
	if mode := claim.Spec.VolumeMode; mode != nil && *mode == corev1.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, errors.New("block volumes are not offered: ask for volumeMode Filesystem")
	}
	path, err := d.path(strings.Join([]string{o.PVName, claim.Namespace, claim.Name}, "_"))
	if err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := makeOpen(path); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("cannot make the volume's directory: %w", err)
	}
	reclaim := corev1.PersistentVolumeReclaimDelete
	if p := o.StorageClass.ReclaimPolicy; p != nil {
		reclaim = *p
	}
	existing := corev1.HostPathDirectory // a directory that vanished is an error, never an empty ledger
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   claim.Spec.AccessModes,
			MountOptions:                  o.StorageClass.MountOptions,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			NodeAffinity:                  affinity(o.SelectedNodeName),
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &existing},
			},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the directory. The controller calls it only for released volumes whose policy is Delete.
func (d *directories) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.HostPath == nil {
		return &controller.IgnoredError{Reason: "it is no directory of this provisioner"}
	}
	path, err := d.path(filepath.Base(volume.Spec.HostPath.Path))
	if err != nil {
		return err
	}
	if path != volume.Spec.HostPath.Path {
		return &controller.IgnoredError{Reason: fmt.Sprintf("%s is not under %s", volume.Spec.HostPath.Path, d.root)}
	}
	return os.RemoveAll(path)
}

// path is the directory of that name directly under the root, or an error if the name would lead elsewhere.
func (d *directories) path(name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsRune(name, filepath.Separator) {
		return "", fmt.Errorf("%q cannot be the name of a volume's directory", name)
	}
	return filepath.Join(d.root, name), nil
}

// makeOpen makes a directory that any user of a pod can write: kubelet does not apply fsGroup to host paths.
func makeOpen(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777) // whatever the umask took away
}

// affinity ties the volume to the node that was chosen for its first pod; nil when the class binds immediately.
func affinity(node string) *corev1.VolumeNodeAffinity {
	if node == "" {
		return nil
	}
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchFields: []corev1.NodeSelectorRequirement{{
			Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node},
		}},
	}}}}
}
