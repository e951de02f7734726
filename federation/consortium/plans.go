package consortium

import (
	"context"
	"maps"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/plan"
)

// parallelPlans is how many plans of one Consortium are written at once.
const parallelPlans = 16

// applyPlans writes the plans that are not as they should be, all at once.
func (r *Reconciler) applyPlans(ctx context.Context, in plan.Input, res plan.Result) error {
	var stale []*v1alpha1.MemberPlan
	for member, spec := range res.Plans {
		want, have := memberPlan(spec), in.Plans[member]
		switch {
		case have == nil:
			stale = append(stale, want)
		case !same(have, want):
			stale = append(stale, changed(have, want))
		}
	}
	key := client.ObjectKeyFromObject(in.Consortium)
	if len(stale) == 0 {
		r.Unwritten.set(key, nil)
		return nil
	}
	if err := r.hold(ctx, in); err != nil {
		return err
	}
	failed := make([]error, len(stale))
	err := r.write(ctx, stale, failed)
	why := map[string]string{}
	for i, p := range stale {
		if text := whyUnwritten(p.Spec.Member, failed[i]); text != "" {
			why[p.Spec.Member] = text
		}
	}
	r.Unwritten.set(key, why)
	return err
}

// write writes plans side by side, and notes what becomes of each.
func (r *Reconciler) write(ctx context.Context, plans []*v1alpha1.MemberPlan, failed []error) error {
	var group errgroup.Group // which goes on when one write fails: no Member waits for another one's plan
	group.SetLimit(parallelPlans)
	for i, p := range plans {
		group.Go(func() error {
			err := apply.Whole(ctx, r.Client, FieldManager, p)
			if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
				// The Member's namespace is still being made, or goes with the Member. Either way the Member's status
				// changes next, and brings this Consortium up again.
				return nil
			}
			failed[i] = err
			return err
		})
	}
	return group.Wait()
}

// memberPlan wraps a plan's spec.
func memberPlan(spec v1alpha1.MemberPlanSpec) *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: v1alpha1.MemberNamespace(spec.Member),
			Name:      spec.Consortium,
			Labels: map[string]string{
				v1alpha1.LabelManagedBy:  v1alpha1.ManagedBy,
				v1alpha1.LabelMember:     spec.Member,
				v1alpha1.LabelConsortium: spec.Consortium,
			},
		},
		Spec: spec,
	}
}

// changed is a plan as it is to be. Labels and annotations that others have put there stay.
func changed(have, want *v1alpha1.MemberPlan) *v1alpha1.MemberPlan {
	next := have.DeepCopy()
	next.Spec = want.Spec
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	maps.Copy(next.Labels, want.Labels)
	return next
}

func same(have, want *v1alpha1.MemberPlan) bool {
	for key, value := range want.Labels {
		if have.Labels[key] != value {
			return false
		}
	}
	return equality.Semantic.DeepEqual(have.Spec, want.Spec)
}
