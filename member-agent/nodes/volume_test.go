package nodes

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

func TestClaimNote(t *testing.T) {
	asking := func(size, class string) corev1.PersistentVolumeClaimSpec {
		spec := corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		}}
		if class != "" {
			spec.StorageClassName = ptr.To(class)
		}
		return spec
	}
	for _, row := range []struct {
		why, has, capacity, says string
		want                     corev1.PersistentVolumeClaimSpec
	}{
		{"as the plan says", "5Gi", "5Gi", "", asking("5Gi", "fast")},
		{"the plan names no class, and the cluster's default was another one then", "5Gi", "5Gi", "", asking("5Gi", "")},
		{"a volume may have more than was asked for", "5Gi", "8Gi", "", asking("5Gi", "fast")},
		{"the driver is at it", "8Gi", "5Gi", "its volume is being expanded from 5Gi to 8Gi: the node's part is left", asking("8Gi", "fast")},
		{"less than it has", "8Gi", "8Gi", "its volume has 8Gi, and the plan says 5Gi: no volume can shrink", asking("5Gi", "fast")},
		{"another class", "5Gi", "5Gi", "its volume is of StorageClass fast, and the plan says slow: that holds for new nodes only", asking("5Gi", "slow")},
	} {
		claim := &corev1.PersistentVolumeClaim{Spec: asking(row.has, "fast"), Status: corev1.PersistentVolumeClaimStatus{
			Phase: corev1.ClaimBound, Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(row.capacity)},
			Conditions: []corev1.PersistentVolumeClaimCondition{
				{Type: corev1.PersistentVolumeClaimFileSystemResizePending, Status: corev1.ConditionTrue, Message: "the node's part is left"},
			},
		}}
		if got := claimNote(claim, row.want); got != row.says {
			t.Errorf("%s: %q, want %q", row.why, got, row.says)
		}
	}
}
