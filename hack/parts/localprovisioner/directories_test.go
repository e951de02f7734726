package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func TestProvision(t *testing.T) {
	retain, block := corev1.PersistentVolumeReclaimRetain, corev1.PersistentVolumeBlock
	rows := []struct {
		why    string
		class  storagev1.StorageClass
		mode   *corev1.PersistentVolumeMode
		policy corev1.PersistentVolumeReclaimPolicy
		fails  bool
	}{
		{why: "a class without a policy deletes, as Kubernetes says", policy: corev1.PersistentVolumeReclaimDelete},
		{why: "a class that retains is obeyed", class: storagev1.StorageClass{ReclaimPolicy: &retain}, policy: retain},
		{why: "a directory is no block device", mode: &block, fails: true},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			d := &directories{root: t.TempDir()}
			claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "data"}}
			claim.Spec.VolumeMode = row.mode
			for range 2 { // the second time the directory is there already
				volume, _, err := d.Provision(t.Context(), controller.ProvisionOptions{StorageClass: &row.class, PVName: "pv-1", PVC: claim})
				if row.fails {
					if err == nil {
						t.Fatal("no error")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := volume.Spec.PersistentVolumeReclaimPolicy; got != row.policy {
					t.Errorf("policy %s, want %s", got, row.policy)
				}
				info, err := os.Stat(volume.Spec.HostPath.Path)
				if err != nil || info.Mode().Perm() != 0o777 || filepath.Base(volume.Spec.HostPath.Path) != "pv-1_ns_data" {
					t.Errorf("directory %s: %v %v", volume.Spec.HostPath.Path, info, err)
				}
			}
		})
	}
}

func TestDelete(t *testing.T) {
	rows := []struct {
		why     string
		path    func(root, elsewhere string) string
		removed bool
	}{
		{"its own directory goes", func(root, _ string) string { return filepath.Join(root, "v") }, true},
		{"a directory elsewhere stays", func(_, elsewhere string) string { return filepath.Join(elsewhere, "v") }, false},
		{"a path that climbs out of the root stays", func(root, _ string) string { return root + "/x/../v" }, false},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			d, elsewhere := &directories{root: t.TempDir()}, t.TempDir()
			path := row.path(d.root, elsewhere)
			if err := os.MkdirAll(filepath.Clean(path), 0o755); err != nil {
				t.Fatal(err)
			}
			volume := &corev1.PersistentVolume{}
			volume.Spec.HostPath = &corev1.HostPathVolumeSource{Path: path}
			err := d.Delete(t.Context(), volume)
			if _, ignored := errors.AsType[*controller.IgnoredError](err); ignored == row.removed {
				t.Errorf("error %v", err)
			}
			if _, err := os.Stat(filepath.Clean(path)); os.IsNotExist(err) != row.removed {
				t.Errorf("removed: %v, want %v", os.IsNotExist(err), row.removed)
			}
		})
	}
}
