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
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/internal/apply"
)

// parallelPlans is how many plans of one Consortium are written at once.
const parallelPlans = 16

// applyPlans writes the plans that are not up to date, in parallel.
func (r *Reconciler) applyPlans(ctx context.Context, in plan.Input, res plan.Result) error {
	var stale []*v1alpha1.MemberPlan
	for member, spec := range res.Plans {
		want, have := memberPlan(spec), in.Plans[member]
		switch {
		case have == nil:
			stale = append(stale, want)
		case !isUpToDate(have, want):
			stale = append(stale, withSpec(have, want))
		}
	}
	key := client.ObjectKeyFromObject(in.Consortium)
	if len(stale) == 0 {
		r.WriteErrors.set(key, nil)
		return nil
	}
	if err := r.ensureFinalizer(ctx, in); err != nil {
		return err
	}
	failed := make([]error, len(stale))
	err := r.write(ctx, stale, failed)
	messages := map[string]string{}
	for i, p := range stale {
		if text := writeErrorMessage(p.Spec.Member, failed[i]); text != "" {
			messages[p.Spec.Member] = text
		}
	}
	r.WriteErrors.set(key, messages)
	return err
}

// write writes plans in parallel, and returns the error of each in failed.
func (r *Reconciler) write(ctx context.Context, plans []*v1alpha1.MemberPlan, failed []error) error {
	var group errgroup.Group // goes on when one write fails: a Member's plan does not wait for another's
	group.SetLimit(parallelPlans)
	for i, p := range plans {
		group.Go(func() error {
			desired := p.DeepCopy()
			err := apply.CreateOrReplace(ctx, r.Client, FieldManager, p)
			if apierrors.IsAlreadyExists(err) { // not in the cache yet, so that its content may differ
				err = apply.ForceApply(ctx, r.Client, FieldManager, desired)
			}
			if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
				// The Member's namespace is not created yet, or is being deleted with the Member. Either way the Member's
				// status changes next and enqueues this Consortium.
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

// withSpec is the plan to write. Labels and annotations set by others are kept.
func withSpec(have, want *v1alpha1.MemberPlan) *v1alpha1.MemberPlan {
	next := have.DeepCopy()
	next.Spec = want.Spec
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	maps.Copy(next.Labels, want.Labels)
	return next
}

func isUpToDate(have, want *v1alpha1.MemberPlan) bool {
	for key, value := range want.Labels {
		if have.Labels[key] != value {
			return false
		}
	}
	return equality.Semantic.DeepEqual(have.Spec, want.Spec)
}
