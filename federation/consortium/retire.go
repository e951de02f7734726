package consortium

import (
	"context"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/snapshot"
	statuses "github.com/hanse-io/hanse/federation/status"
)

// retire handles the deletion of a Consortium: it asks every Member to remove its nodes, waits for them, then deletes the
// plans and the namespace for statements, and removes the finalizer.
func (r *Reconciler) retire(ctx context.Context, in plan.Input) error {
	if !controllerutil.ContainsFinalizer(in.Consortium, v1alpha1.FinalizerRetire) {
		return nil
	}
	key := client.ObjectKeyFromObject(in.Consortium)
	var live v1alpha1.MemberPlanList
	if err := r.Live.List(ctx, &live, client.MatchingLabels{v1alpha1.LabelConsortium: key.Name}); err != nil {
		return err
	}
	plans := slices.DeleteFunc(live.Items, func(p v1alpha1.MemberPlan) bool { return snapshot.ConsortiumOf(&p) != key })
	if err := r.requestRetire(ctx, plans); err != nil {
		return err
	}
	if len(pendingMembers(in, plans)) > 0 {
		return r.keepAccess(ctx, in)
	}
	for i := range plans {
		if err := r.Client.Delete(ctx, &plans[i]); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	if err := r.deleteNamespace(ctx, in.Consortium); err != nil {
		return err
	}
	updated := in.Consortium.DeepCopy()
	controllerutil.RemoveFinalizer(updated, v1alpha1.FinalizerRetire)
	return client.IgnoreNotFound(r.setFinalizers(ctx, updated))
}

// keepAccess follows what the Members register while a Consortium is being deleted: a key that was replaced has to lose its
// access. It creates nothing.
func (r *Reconciler) keepAccess(ctx context.Context, in plan.Input) error {
	namespace := &corev1.Namespace{}
	err := r.Client.Get(ctx, types.NamespacedName{Name: v1alpha1.StatementsNamespace(in.Consortium.Name)}, namespace)
	if err != nil || !belongsTo(namespace, in.Consortium) || !namespace.DeletionTimestamp.IsZero() {
		return client.IgnoreNotFound(err)
	}
	return r.ensureAccess(ctx, in)
}

// setFinalizers patches a Consortium's finalizers and nothing else, so that one that cannot be decoded can be deleted too.
func (r *Reconciler) setFinalizers(ctx context.Context, c *v1alpha1.Consortium) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"finalizers": c.Finalizers, "resourceVersion": c.ResourceVersion, "uid": c.UID,
	}})
	if err != nil {
		return err
	}
	return r.Client.Patch(ctx, c, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldManager))
}

// requestRetire sets Retire on the plans and leaves the rest unchanged.
func (r *Reconciler) requestRetire(ctx context.Context, plans []v1alpha1.MemberPlan) error {
	var asked []*v1alpha1.MemberPlan
	for i := range plans {
		if spec := plans[i].Spec; !spec.Retire && plans[i].DeletionTimestamp.IsZero() {
			spec.Retire = true
			asked = append(asked, withSpec(&plans[i], memberPlan(spec)))
		}
	}
	return r.write(ctx, asked, make([]error, len(asked)))
}

// pendingMembers are the Members, sorted, that have not reported yet that their nodes are removed. Members that are deleted
// or being deleted are not waited for, nor, with the annotation abandon, are those that are not online.
func pendingMembers(in plan.Input, plans []v1alpha1.MemberPlan) []string {
	abandon := in.Consortium.Annotations[v1alpha1.AnnotationAbandon] == "true"
	var names []string
	for i := range plans {
		p := &plans[i]
		member := in.Members[p.Spec.Member]
		switch {
		case member == nil:
		case p.Spec.Retire && meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.PlanRetired):
		case abandon && statuses.Online(member) != metav1.ConditionTrue:
		default:
			names = append(names, p.Spec.Member)
		}
	}
	slices.Sort(names)
	return names
}
