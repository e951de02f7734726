package nodes

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// withCurrentClaims keeps the current claim templates, which are immutable.
func withCurrentClaims(desired, current *appsv1.StatefulSet) *appsv1.StatefulSet {
	if current == nil {
		return desired
	}
	kept := desired.DeepCopy()
	kept.Spec.VolumeClaimTemplates = nil
	for _, claim := range current.Spec.VolumeClaimTemplates {
		kept.Spec.VolumeClaimTemplates = append(kept.Spec.VolumeClaimTemplates, corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: claim.Name, Labels: claim.Labels},
			Spec:       claim.Spec,
		})
	}
	return kept
}

// ensureVolume expands a node's volume if the plan asks for more, and notes where it differs from the plan in a way that nobody
// can change. The diagnosis is why it cannot be expanded.
func (p *Phase) ensureVolume(ctx context.Context, t *pass, set Set) Diagnosis {
	want := set.StatefulSet.Spec.VolumeClaimTemplates[0].Spec
	for _, claim := range t.observed.claims[set.Name] {
		if claim.DeletionTimestamp != nil {
			continue
		}
		if want.Resources.Requests.Storage().Cmp(*claim.Spec.Resources.Requests.Storage()) > 0 {
			return p.expandClaim(ctx, &claim, *want.Resources.Requests.Storage())
		}
		if note := claimNote(&claim, want); note != "" && t.notes[set.Name] == "" {
			t.notes[set.Name] = note
		}
	}
	return Diagnosis{}
}

// expandClaim requests a larger volume, if its StorageClass has volumes expanded at all.
func (p *Phase) expandClaim(ctx context.Context, claim *corev1.PersistentVolumeClaim, want resource.Quantity) Diagnosis {
	have, name := claim.Spec.Resources.Requests.Storage(), ptr.Deref(claim.Spec.StorageClassName, "")
	var class storagev1.StorageClass
	if name != "" {
		if err := p.Direct.Get(ctx, client.ObjectKey{Name: name}, &class); client.IgnoreNotFound(err) != nil {
			return Diagnosis{v1alpha1.ReasonFailed, fmt.Sprintf("read the StorageClass %s: %v", name, err)}
		}
	}
	if !ptr.Deref(class.AllowVolumeExpansion, false) {
		return notExpandable(claim.Name, name, class.Name != "", have, &want)
	}
	next := claim.DeepCopy()
	next.Spec.Resources.Requests[corev1.ResourceStorage] = want
	if err := p.Direct.Patch(ctx, next, client.MergeFrom(claim)); err != nil {
		d := diagnoseAPIError(err)
		d.Message = fmt.Sprintf("its volume cannot be expanded from %s to %s: %s", have, &want, d.Message)
		return d
	}
	return Diagnosis{}
}

// notExpandable says why a volume cannot grow, and what can be done about it. The node runs on with what it has.
func notExpandable(claim, class string, found bool, have, want *resource.Quantity) Diagnosis {
	remedy := fmt.Sprintf("StorageClass %s does not allow it: if its driver can, kubectl patch storageclass %s -p '{\"allowVolumeExpansion\":true}'", class, class)
	if !found {
		remedy = fmt.Sprintf("PersistentVolumeClaim %s has no StorageClass that could: enlarge its volume by hand, and its claim with it", claim)
	}
	return Diagnosis{v1alpha1.ReasonVolumeNotExpandable, fmt.Sprintf(
		"its volume cannot be expanded from %s to %s, and it runs on as it is: %s; or declare the old size again", have, want, remedy)}
}

// claimNote says what of a volume is not as the plan has it, though nothing is wrong.
func claimNote(claim *corev1.PersistentVolumeClaim, want corev1.PersistentVolumeClaimSpec) string {
	have, capacity := claim.Spec.Resources.Requests.Storage(), claim.Status.Capacity.Storage()
	switch {
	case want.Resources.Requests.Storage().Cmp(*have) < 0:
		return fmt.Sprintf("its volume has %s, and the plan says %s: no volume can shrink", have, want.Resources.Requests.Storage())
	case claim.Status.Phase == corev1.ClaimBound && capacity.Cmp(*have) < 0:
		return fmt.Sprintf("its volume is being expanded from %s to %s%s", capacity, have, expansionState(claim))
	case want.StorageClassName != nil && *want.StorageClassName != ptr.Deref(claim.Spec.StorageClassName, ""):
		return fmt.Sprintf("its volume is of StorageClass %s, and the plan says %s: that holds for new nodes only", ptr.Deref(claim.Spec.StorageClassName, ""), *want.StorageClassName)
	}
	return ""
}

// expansionState is what the cluster says about an expansion that is not finished.
func expansionState(claim *corev1.PersistentVolumeClaim) string {
	for _, c := range claim.Status.Conditions {
		if c.Status == corev1.ConditionTrue && c.Message != "" {
			return ": " + truncate(c.Message)
		}
	}
	return ""
}

// requestedSize is what a node's claim asks for; nil if there is none.
func requestedSize(claims []corev1.PersistentVolumeClaim) *resource.Quantity {
	for i := range claims {
		if size, ok := claims[i].Spec.Resources.Requests[corev1.ResourceStorage]; ok && claims[i].DeletionTimestamp == nil {
			return ptr.To(size.DeepCopy())
		}
	}
	return nil
}
