package consortium

import (
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/internal/apply"
)

// parallelPlans is how many plans of one Consortium are written at once.
const parallelPlans = 16

// maxWrites is how many plans are written at once, of all Consortia together: more would be no faster, but wait in the API
// server, and the renewal of the controller's own leader lease with them.
const maxWrites = 32

// applyPlans writes the plans that are not up to date, in parallel, and sees to the namespace for statements: before a plan
// is created, since its agent will use it, and before the definition, which is in it; otherwise after the plans, which agents
// wait for. Plans that refer to a definition are written after it.
func (r *Reconciler) applyPlans(ctx context.Context, in plan.Input, res plan.Result) (ctrl.Result, error) {
	if len(res.Plans) == 0 && (len(in.Plans) == 0 || !in.Consortium.Undecodable.InStatus()) {
		// It was never accepted, or is not decoded completely: nothing is changed.
		r.WriteErrors.set(client.ObjectKeyFromObject(in.Consortium), nil)
		return ctrl.Result{}, nil
	}
	want, shared := plan.Stored(res)
	definition := staleDefinition(in, shared)
	plans, created := stalePlans(in, want)
	if len(plans)+len(created) > 0 || definition != nil {
		if err := r.ensureFinalizer(ctx, in); err != nil {
			return apply.Result(err)
		}
	}
	var access error
	first := len(created) > 0 || definition != nil
	if first {
		access = r.ensureAccess(ctx, in)
	}
	if access == nil && definition != nil {
		access = r.writeDefinition(ctx, definition)
	}
	if access == nil {
		plans = append(plans, created...)
	} else if definition != nil {
		plans = withoutDefinition(plans)
	}
	failed := make([]error, len(plans))
	err := r.write(ctx, plans, failed)
	if !first {
		access = r.ensureAccess(ctx, in)
	}
	if err == nil && access == nil && shared == nil {
		access = r.deleteDefinition(ctx, in)
	}
	r.recordErrors(in, plans, failed, access)
	if errors.As(access, new(namespaceUnusable)) && err == nil {
		return ctrl.Result{RequeueAfter: namespaceRetry}, nil
	}
	return apply.Result(errors.Join(err, access))
}

// recordErrors tells the Reporter why plans could not be written, and what else is wrong for all of them.
func (r *Reconciler) recordErrors(in plan.Input, plans []*v1alpha1.MemberPlan, failed []error, access error) {
	messages := map[string]string{}
	for i, p := range plans {
		if text := writeErrorMessage(p.Spec.Member, failed[i]); text != "" {
			messages[p.Spec.Member] = text
		}
	}
	if text := accessErrorMessage(access); text != "" {
		messages[noMember] = text
	}
	r.WriteErrors.set(client.ObjectKeyFromObject(in.Consortium), messages)
}

// withoutDefinition are the plans that are stored as a whole.
func withoutDefinition(plans []*v1alpha1.MemberPlan) []*v1alpha1.MemberPlan {
	return slices.DeleteFunc(plans, func(p *v1alpha1.MemberPlan) bool { return p.Spec.Definition != nil })
}

// stalePlans are the plans that are not up to date: those that exist, and those to be created.
func stalePlans(in plan.Input, stored map[string]v1alpha1.MemberPlanSpec) (changed, created []*v1alpha1.MemberPlan) {
	for member, spec := range stored {
		want, have := memberPlan(spec), in.Stored[member]
		switch {
		case have == nil:
			created = append(created, want)
		case !isUpToDate(have, want):
			changed = append(changed, withSpec(have, want))
		}
	}
	return changed, created
}

// write writes plans in parallel, and returns the error of each in failed.
func (r *Reconciler) write(ctx context.Context, plans []*v1alpha1.MemberPlan, failed []error) error {
	var group errgroup.Group // goes on when one write fails: a Member's plan does not wait for another's
	group.SetLimit(parallelPlans)
	for i, p := range plans {
		group.Go(func() error {
			if r.written.isPending(p) {
				return nil
			}
			if err := r.writes.Acquire(ctx, 1); err != nil {
				return err
			}
			defer r.writes.Release(1)
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
			if err == nil {
				r.written.note(desired)
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
