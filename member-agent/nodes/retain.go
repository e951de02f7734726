package nodes

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// keepsVolume says whether a node's volume has to outlive its StatefulSet. It is deleted only if the organization allows
// that, the plan says so, and the StatefulSet, nil if there is none, was created so: whoever controls the plan alone
// cannot turn a retained volume into one that is deleted.
func keepsVolume(keepAll bool, asked v1alpha1.ReclaimPolicy, current *appsv1.StatefulSet, claims []corev1.PersistentVolumeClaim) bool {
	if keepAll || asked != v1alpha1.ReclaimDelete {
		return true
	}
	if current != nil {
		return isRetaining(current)
	}
	// Claims that outlived a StatefulSet were meant to.
	for i := range claims {
		if claims[i].DeletionTimestamp == nil && len(claims[i].OwnerReferences) == 0 {
			return true
		}
	}
	return false
}

func isRetaining(s *appsv1.StatefulSet) bool {
	policy := s.Spec.PersistentVolumeClaimRetentionPolicy
	return policy == nil || policy.WhenDeleted != appsv1.DeletePersistentVolumeClaimRetentionPolicyType
}

// reclaimOf is the plan's reclaim policy of a node's volume; Retain for a node that is not in the plan.
func reclaimOf(plan *v1alpha1.MemberPlan, node string) v1alpha1.ReclaimPolicy {
	for _, n := range plan.Spec.Nodes {
		if n.Name == node {
			return n.Storage.ReclaimPolicy
		}
	}
	return v1alpha1.ReclaimRetain
}

// ensureRetained makes sure that the volumes of a StatefulSet outlive it: it removes the policy and the owner references
// by which they would be deleted, and verifies that. waiting says what is not done yet; empty if everything is.
func (p *Phase) ensureRetained(ctx context.Context, current *appsv1.StatefulSet) (waiting string, err error) {
	set := current.DeepCopy()
	if !isRetaining(set) {
		set.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
		if err := p.Direct.Patch(ctx, set, client.MergeFrom(current)); err != nil {
			return "", fmt.Errorf("keep the volumes of %s: %w", set.Name, err)
		}
	}
	// The controller would add the owner references again until it has observed the new policy. Where no controller runs,
	// no generation is ever observed, and there is no garbage collection either.
	if set.Status.ObservedGeneration > 0 && set.Status.ObservedGeneration < set.Generation {
		return fmt.Sprintf("the volumes of %s are being detached from it, so that they stay", set.Name), nil
	}
	claims, err := p.claimsOf(ctx, set)
	if err != nil {
		return "", err
	}
	for i := range claims {
		if err := p.removeOwners(ctx, &claims[i], set); err != nil {
			return "", err
		}
	}
	if claims, err = p.claimsOf(ctx, set); err != nil {
		return "", err
	}
	for i := range claims {
		if isOwned(&claims[i], set) {
			return fmt.Sprintf("volume %s is being detached from %s, so that it stays", claims[i].Name, set.Name), nil
		}
	}
	return "", nil
}

// claimsOf reads the claims of a StatefulSet by name: labels can be removed.
func (p *Phase) claimsOf(ctx context.Context, set *appsv1.StatefulSet) ([]corev1.PersistentVolumeClaim, error) {
	var all corev1.PersistentVolumeClaimList
	if err := p.Direct.List(ctx, &all, client.InNamespace(set.Namespace)); err != nil {
		return nil, fmt.Errorf("list the volumes in %s: %w", set.Namespace, err)
	}
	var claims []corev1.PersistentVolumeClaim
	for _, claim := range all.Items {
		if isOwned(&claim, set) || isClaimOf(&claim, set) {
			claims = append(claims, claim)
		}
	}
	return claims, nil
}

func isClaimOf(claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet) bool {
	for _, template := range set.Spec.VolumeClaimTemplates {
		if claim.Name == template.Name+"-"+set.Name+"-0" {
			return true
		}
	}
	return false
}

// isOwned says whether the claim is deleted with the StatefulSet or its pod.
func isOwned(claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet) bool {
	for _, ref := range claim.OwnerReferences {
		if isOwner(ref, set) {
			return true
		}
	}
	return false
}

func isOwner(ref metav1.OwnerReference, set *appsv1.StatefulSet) bool {
	return (ref.Kind == "StatefulSet" && ref.Name == set.Name) || (ref.Kind == "Pod" && ref.Name == set.Name+"-0")
}

// removeOwners removes the references to a StatefulSet and its pod from a claim.
func (p *Phase) removeOwners(ctx context.Context, claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet) error {
	if !isOwned(claim, set) {
		return nil
	}
	released := claim.DeepCopy()
	released.OwnerReferences = nil
	for _, ref := range claim.OwnerReferences {
		if !isOwner(ref, set) {
			released.OwnerReferences = append(released.OwnerReferences, ref)
		}
	}
	patch := client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{})
	if err := p.Direct.Patch(ctx, released, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("keep volume %s: %w", claim.Name, err)
	}
	return nil
}

// ensureAllRetained applies KeepVolumes to every existing node, also to those that are blocked. An error of one does not
// stop the others.
func (p *Phase) ensureAllRetained(ctx context.Context, plan *v1alpha1.MemberPlan, current *observed) error {
	var failed []error
	for name, set := range current.sets {
		if isRetaining(set) || !keepsVolume(p.KeepVolumes, reclaimOf(plan, name), set, nil) {
			continue
		}
		if _, err := p.ensureRetained(ctx, set); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
