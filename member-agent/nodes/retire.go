package nodes

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Retired is the progress of removing a plan's workloads.
type Retired struct {
	// Done is true when nothing of it runs any more.
	Done bool
	// Kept is the number of retained volumes.
	Kept int
	// Waiting says what is not removed yet.
	Waiting string
}

// Retire deletes everything that the plan had deployed. Volumes are retained unless they were created with reclaim
// policy Delete and the organization allows that; where volumes are retained, so are the namespace and the certificates,
// which nodes of the same names need to use them. Retention is ensured here, before anything is deleted, and not assumed
// from an earlier reconciliation. A namespace that Hanse has not created for this consortium is left alone.
func (p *Phase) Retire(ctx context.Context, plan *v1alpha1.MemberPlan) (Retired, error) {
	var namespace corev1.Namespace
	err := p.Direct.Get(ctx, client.ObjectKey{Name: plan.Spec.Namespace}, &namespace)
	if apierrors.IsNotFound(err) {
		return Retired{Done: true}, nil
	}
	if err != nil {
		return Retired{}, fmt.Errorf("read the namespace %s: %w", plan.Spec.Namespace, err)
	}
	if !IsManaged(plan, &namespace) {
		return Retired{Done: true}, nil
	}
	selector := []client.ListOption{
		client.InNamespace(plan.Spec.Namespace),
		client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelConsortium: plan.Spec.Consortium},
	}
	if waiting, err := p.deleteSets(ctx, plan, selector); err != nil || waiting != "" {
		return Retired{Waiting: waiting}, err
	}
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &policyv1.PodDisruptionBudgetList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{},
	} {
		if err := p.deleteListed(ctx, list, selector); err != nil {
			return Retired{}, err
		}
	}
	var pods corev1.PodList
	if err := p.Direct.List(ctx, &pods, selector...); err != nil {
		return Retired{}, fmt.Errorf("list the pods in %s: %w", plan.Spec.Namespace, err)
	}
	if n := len(pods.Items); n > 0 {
		return Retired{Waiting: fmt.Sprintf("%d pods are terminating", n)}, nil
	}
	return p.retireVolumes(ctx, &namespace)
}

// deleteSets deletes the StatefulSets, each once its volumes are retained if they have to be.
func (p *Phase) deleteSets(ctx context.Context, plan *v1alpha1.MemberPlan, selector []client.ListOption) (waiting string, err error) {
	var sets appsv1.StatefulSetList
	if err := p.Direct.List(ctx, &sets, selector...); err != nil {
		return "", fmt.Errorf("list the StatefulSets in %s: %w", plan.Spec.Namespace, err)
	}
	for i := range sets.Items {
		set := &sets.Items[i]
		if keepsVolume(p.KeepVolumes, reclaimOf(plan, set.Name), set, nil) && set.DeletionTimestamp == nil {
			still, err := p.ensureRetained(ctx, set)
			if err != nil {
				return "", err
			}
			if still != "" {
				waiting = still
				continue
			}
		}
		if err := p.delete(ctx, set); err != nil {
			return "", err
		}
	}
	return waiting, nil
}

// retireVolumes waits for the volumes that are deleted with their nodes, and deletes the namespace if it has no others.
func (p *Phase) retireVolumes(ctx context.Context, namespace *corev1.Namespace) (Retired, error) {
	var claims corev1.PersistentVolumeClaimList
	if err := p.Direct.List(ctx, &claims, client.InNamespace(namespace.Name)); err != nil {
		return Retired{}, fmt.Errorf("list the volumes in %s: %w", namespace.Name, err)
	}
	kept, going := 0, 0
	for _, claim := range claims.Items {
		managed := claim.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy
		if managed && (claim.DeletionTimestamp != nil || len(claim.OwnerReferences) > 0) {
			going++
		} else {
			kept++
		}
	}
	switch {
	case going > 0:
		return Retired{Kept: kept, Waiting: fmt.Sprintf("%d volumes are still being deleted", going)}, nil
	case kept > 0:
		return Retired{Done: true, Kept: kept}, nil
	}
	err := p.Direct.Delete(ctx, namespace, client.Preconditions{UID: &namespace.UID})
	if client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
		return Retired{}, fmt.Errorf("delete the namespace %s: %w", namespace.Name, err)
	}
	return Retired{Done: true}, nil
}

// IsManaged says whether Hanse created the namespace for the plan's consortium.
func IsManaged(plan *v1alpha1.MemberPlan, namespace *corev1.Namespace) bool {
	return namespace.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy &&
		namespace.Labels[v1alpha1.LabelConsortium] == plan.Spec.Consortium
}

func (p *Phase) deleteListed(ctx context.Context, list client.ObjectList, selector []client.ListOption) error {
	if err := p.Direct.List(ctx, list, selector...); err != nil {
		return fmt.Errorf("list what has to be deleted: %w", err)
	}
	return meta.EachListItem(list, func(item runtime.Object) error {
		obj, ok := item.(client.Object)
		if !ok {
			return nil
		}
		return p.delete(ctx, obj)
	})
}

// delete deletes an object by its UID: one that was recreated since it was read stays.
func (p *Phase) delete(ctx context.Context, obj client.Object) error {
	if obj.GetDeletionTimestamp() != nil {
		return nil
	}
	uid := ptr.To(obj.GetUID())
	err := p.Direct.Delete(ctx, obj, client.Preconditions{UID: uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %T %s: %w", obj, obj.GetName(), err)
	}
	return nil
}
