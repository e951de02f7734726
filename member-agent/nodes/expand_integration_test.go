//go:build integration

package nodes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// checkExpansion asks for larger volumes than there are: in a StorageClass that cannot, and in the same one once it can. The
// node is applied all the while.
func checkExpansion(t *testing.T, c client.Client) {
	it := newConsortium(t, c, "grows", v1alpha1.ReclaimRetain)
	it.waitForNodes(t, false)
	bind(t, it)
	node := &it.plan.Spec.Nodes[0]
	for _, row := range []struct {
		why, size     string
		change        func()
		reason, says  string
		claims, image string
	}{
		{"the class cannot", "8Gi", func() {}, v1alpha1.ReasonVolumeNotExpandable, `kubectl patch storageclass any -p '{"allowVolumeExpansion":true}'`, "5Gi", "peer:2"},
		{"the old size is declared again", "5Gi", func() {}, "", "", "5Gi", "peer:3"},
		{"the class can", "8Gi", func() {
			class := &storagev1.StorageClass{}
			if err := c.Get(t.Context(), client.ObjectKey{Name: "any"}, class); err != nil {
				t.Fatal(err)
			}
			class.AllowVolumeExpansion = ptr.To(true)
			if err := c.Update(t.Context(), class); err != nil {
				t.Fatal(err)
			}
		}, "", "", "8Gi", "peer:4"},
		{"a smaller one is left alone", "6Gi", func() {}, "", "", "8Gi", "peer:5"},
	} {
		row.change()
		node.Storage.Size = ptr.To(resource.MustParse(row.size))
		node.Image = row.image
		workloads := it.workloads()
		workloads[0].Pod.Containers[0].Image = row.image
		eventually(t, row.why, func(ctx context.Context) error {
			result, err := it.phase.Ensure(ctx, it, it.plan, workloads, issued)
			if err = errors.Join(err, result.Failed); err != nil {
				return err
			}
			claim, err := it.claim(ctx)
			if err != nil {
				return err
			}
			status := result.Nodes[0]
			if got := claim.Spec.Resources.Requests.Storage().String(); got != row.claims || status.VolumeSize.String() != got {
				return fmt.Errorf("the claim asks for %s, and %v is reported", got, status.VolumeSize)
			}
			if status.Reason != row.reason || !strings.Contains(status.Message, row.says) {
				return fmt.Errorf("%+v", status)
			}
			if status.Image != row.image {
				return fmt.Errorf("the node is not applied: %+v", status)
			}
			return nil
		})
	}
}

// bind has the claim bound, as a provisioner would.
func bind(t *testing.T, c *consortium) {
	t.Helper()
	claim, err := c.claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claim.Status.Phase = corev1.ClaimBound
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")}
	if err := c.Status().Update(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
}
