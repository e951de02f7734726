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

// keepsVolume says whether a node's volume has to outlive its StatefulSet. It may go only if the organization allows
// that, the plan asks for it, and the StatefulSet, nil if there is none, was made so: nobody who holds the plan alone
// turns a volume that was to be kept into one that goes.
func keepsVolume(keepAll bool, asked v1alpha1.ReclaimPolicy, current *appsv1.StatefulSet, claims []corev1.PersistentVolumeClaim) bool {
	if keepAll || asked != v1alpha1.ReclaimDelete {
		return true
	}
	if current != nil {
		return retains(current)
	}
	// Claims that outlived a StatefulSet were meant to.
	for i := range claims {
		if claims[i].DeletionTimestamp == nil && len(claims[i].OwnerReferences) == 0 {
			return true
		}
	}
	return false
}

func retains(s *appsv1.StatefulSet) bool {
	policy := s.Spec.PersistentVolumeClaimRetentionPolicy
	return policy == nil || policy.WhenDeleted != appsv1.DeletePersistentVolumeClaimRetentionPolicyType
}

// reclaimOf is what the plan asks for a node's volume. What a plan does not mention is kept.
func reclaimOf(plan *v1alpha1.MemberPlan, node string) v1alpha1.ReclaimPolicy {
	for _, n := range plan.Spec.Nodes {
		if n.Name == node {
			return n.Storage.ReclaimPolicy
		}
	}
	return v1alpha1.ReclaimRetain
}

// retain makes sure that the volumes of a StatefulSet stay when it goes: it takes off the policy and the owners that
// would take them along, and reads back that they are off. Empty when they are, or else what is still to be waited for.
func (p *Phase) retain(ctx context.Context, current *appsv1.StatefulSet) (waiting string, err error) {
	set := current.DeepCopy()
	if !retains(set) {
		set.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
		if err := p.Direct.Patch(ctx, set, client.MergeFrom(current)); err != nil {
			return "", fmt.Errorf("keep the volumes of %s: %w", set.Name, err)
		}
	}
	// The controller would put owners back on, as long as it has not seen the new policy. Where none is at work, no
	// generation is ever observed, and nobody deletes by owners either.
	if set.Status.ObservedGeneration > 0 && set.Status.ObservedGeneration < set.Generation {
		return fmt.Sprintf("the volumes of %s are being detached from it, so that they stay", set.Name), nil
	}
	claims, err := p.claimsOf(ctx, set)
	if err != nil {
		return "", err
	}
	for i := range claims {
		if err := p.release(ctx, &claims[i], set); err != nil {
			return "", err
		}
	}
	if claims, err = p.claimsOf(ctx, set); err != nil {
		return "", err
	}
	for i := range claims {
		if owned(&claims[i], set) {
			return fmt.Sprintf("volume %s is being detached from %s, so that it stays", claims[i].Name, set.Name), nil
		}
	}
	return "", nil
}

// claimsOf reads the claims of a StatefulSet, by their names: labels can be taken off.
func (p *Phase) claimsOf(ctx context.Context, set *appsv1.StatefulSet) ([]corev1.PersistentVolumeClaim, error) {
	var all corev1.PersistentVolumeClaimList
	if err := p.Direct.List(ctx, &all, client.InNamespace(set.Namespace)); err != nil {
		return nil, fmt.Errorf("list the volumes in %s: %w", set.Namespace, err)
	}
	var claims []corev1.PersistentVolumeClaim
	for _, claim := range all.Items {
		if owned(&claim, set) || isClaimOf(&claim, set) {
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

// owned says whether the claim goes when the StatefulSet or its pod does.
func owned(claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet) bool {
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

// release takes a claim from its StatefulSet.
func (p *Phase) release(ctx context.Context, claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet) error {
	if !owned(claim, set) {
		return nil
	}
	free := claim.DeepCopy()
	free.OwnerReferences = nil
	for _, ref := range claim.OwnerReferences {
		if !isOwner(ref, set) {
			free.OwnerReferences = append(free.OwnerReferences, ref)
		}
	}
	patch := client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{})
	if err := p.Direct.Patch(ctx, free, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("keep volume %s: %w", claim.Name, err)
	}
	return nil
}

// retainAll takes the word of the organization to every node that there is, also to those that are not applied now
// because they wait for something. A failure of one is that one's.
func (p *Phase) retainAll(ctx context.Context, plan *v1alpha1.MemberPlan, seen *sight) error {
	var failed []error
	for name, set := range seen.sets {
		if retains(set) || !keepsVolume(p.KeepVolumes, reclaimOf(plan, name), set, nil) {
			continue
		}
		if _, err := p.retain(ctx, set); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
