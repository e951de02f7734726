package consortium

import (
	"context"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/gather"
	"github.com/hanse-io/hanse/federation/plan"
)

// retire takes a Consortium down: it asks every Member to, waits for all that can be waited for, then deletes the plans
// and lets the Consortium go.
func (r *Reconciler) retire(ctx context.Context, in plan.Input) error {
	if !controllerutil.ContainsFinalizer(in.Consortium, v1alpha1.FinalizerRetire) {
		return nil
	}
	key := client.ObjectKeyFromObject(in.Consortium)
	var live v1alpha1.MemberPlanList
	if err := r.Live.List(ctx, &live, client.MatchingLabels{v1alpha1.LabelConsortium: key.Name}); err != nil {
		return err
	}
	plans := slices.DeleteFunc(live.Items, func(p v1alpha1.MemberPlan) bool { return gather.OfPlan(&p) != key })
	if err := r.askToRetire(ctx, plans); err != nil {
		return err
	}
	if len(waits(in, plans)) > 0 {
		return nil
	}
	for i := range plans {
		if err := r.Client.Delete(ctx, &plans[i]); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	free := in.Consortium.DeepCopy()
	controllerutil.RemoveFinalizer(free, v1alpha1.FinalizerRetire)
	return client.IgnoreNotFound(r.setFinalizers(ctx, free))
}

// setFinalizers writes a Consortium's finalizers and nothing else, so that one that cannot be decoded can go too.
func (r *Reconciler) setFinalizers(ctx context.Context, c *v1alpha1.Consortium) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"finalizers": c.Finalizers, "resourceVersion": c.ResourceVersion, "uid": c.UID,
	}})
	if err != nil {
		return err
	}
	return r.Client.Patch(ctx, c, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldManager))
}

// askToRetire sets Retire on the plans, and leaves the rest of them as it was.
func (r *Reconciler) askToRetire(ctx context.Context, plans []v1alpha1.MemberPlan) error {
	var asked []*v1alpha1.MemberPlan
	for i := range plans {
		if spec := plans[i].Spec; !spec.Retire && plans[i].DeletionTimestamp.IsZero() {
			spec.Retire = true
			asked = append(asked, changed(&plans[i], memberPlan(spec)))
		}
	}
	return r.write(ctx, asked, make([]error, len(asked)))
}

// waits are the Members, sorted, without whose word that everything is down a Consortium is not let go. Members that
// are gone or going are not waited for, nor, once somebody has said to abandon them, are those that cannot be reached.
func waits(in plan.Input, plans []v1alpha1.MemberPlan) []string {
	abandon := in.Consortium.Annotations[v1alpha1.AnnotationAbandon] == "true"
	var names []string
	for i := range plans {
		p := &plans[i]
		member := in.Members[p.Spec.Member]
		switch {
		case member == nil:
		case p.Spec.Retire && meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.PlanRetired):
		case abandon && fold.Online(member) != metav1.ConditionTrue:
		default:
			names = append(names, p.Spec.Member)
		}
	}
	slices.Sort(names)
	return names
}
