// Package consortium keeps the MemberPlans of every Consortium as they should be, and folds what the Members report
// into its status. It must know nothing of how a plan follows from the specs, nor of what it takes to carry one out.
package consortium

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/gather"
	"github.com/hanse-io/hanse/federation/plan"
)

// FieldManager owns the plans' specs and the Consortia's statuses.
const FieldManager = "hanse-consortium"

// Reconciler makes the plans of one Consortium at a time.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache. Only deletion does, where a plan that is overlooked would be left behind.
	Live     client.Reader
	Gather   gather.Gatherer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches everything that a plan or a status follows from.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("consortium").
		WithOptions(options).
		Watches(&v1alpha1.Consortium{}, gather.Enqueue(r.Gather.Consortia), gather.SpecChanged()).
		Watches(&v1alpha1.Channel{}, gather.Enqueue(r.Gather.Consortia), gather.SpecChanged()).
		Watches(&v1alpha1.Contract{}, gather.Enqueue(r.Gather.Consortia), gather.SpecChanged()).
		Watches(&v1alpha1.Line{}, gather.Enqueue(r.Gather.Consortia), gather.SpecChanged()).
		Watches(&v1alpha1.Member{}, gather.Enqueue(r.Gather.Consortia), gather.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, gather.Enqueue(r.Gather.Consortia)).
		Complete(r)
}

// Reconcile brings one Consortium's plans up to date first and its status second: agents wait for plans, people for
// statuses.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Gather.Consortium(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !in.Consortium.DeletionTimestamp.IsZero() {
		return apply.Result(r.retire(ctx, in))
	}
	res := plan.Compute(in)
	if err := r.applyPlans(ctx, in, res); err != nil {
		return apply.Result(err)
	}
	status := fold.Consortium(in, res, r.Clock.Now())
	return apply.Result(r.report(ctx, in, status))
}

// report writes the status if it says anything new.
func (r *Reconciler) report(ctx context.Context, in plan.Input, status v1alpha1.ConsortiumStatus) error {
	before := in.Consortium.Status
	if equality.Semantic.DeepEqual(before, status) {
		return nil
	}
	if err := apply.Status(ctx, r.Client, FieldManager, in.Consortium, &status, ""); err != nil {
		return client.IgnoreNotFound(err)
	}
	apply.Transitions(r.Recorder, in.Consortium, before.Conditions, status.Conditions,
		v1alpha1.ConditionAccepted, v1alpha1.ConditionReady)
	return nil
}

// hold puts the finalizer on a Consortium before its first plan goes out.
func (r *Reconciler) hold(ctx context.Context, in plan.Input) error {
	if controllerutil.ContainsFinalizer(in.Consortium, v1alpha1.FinalizerRetire) {
		return nil
	}
	held := in.Consortium.DeepCopy()
	controllerutil.AddFinalizer(held, v1alpha1.FinalizerRetire)
	return r.Client.Patch(ctx, held, client.MergeFromWithOptions(in.Consortium, client.MergeFromWithOptimisticLock{}),
		client.FieldOwner(FieldManager))
}
