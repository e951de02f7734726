// Package consortium keeps the MemberPlans of every Consortium as they should be (Reconciler), and folds what the Members
// report into its status (Reporter). It must know nothing of how a plan follows from the specs, nor of what it takes to
// carry one out.
package consortium

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/gather"
	"github.com/hanse-io/hanse/federation/plan"
)

// FieldManager owns the plans' specs.
const FieldManager = "hanse-consortium"

// Reconciler makes the plans of one Consortium at a time. It writes no status: agents wait for plans, and a hundred
// changes are soon planned when nothing else stands in the way.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache. Only deletion does, where a plan that is overlooked would be left behind.
	Live   client.Reader
	Gather gather.Gatherer
	// Unwritten is where the Reporter learns which plans the API server does not take.
	Unwritten *Unwritten
}

// SetupWithManager watches everything that a plan follows from.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return watch(mgr, "consortium", gather.Enqueue(r.Gather.Consortia), options).Complete(r)
}

// watch names everything that a Consortium's plans and status follow from.
func watch(mgr ctrl.Manager, name string, concern handler.EventHandler, options controller.Options) *builder.Builder {
	return ctrl.NewControllerManagedBy(mgr).Named(name).WithOptions(options).
		Watches(&v1alpha1.Consortium{}, concern, gather.RolloutChanged()).
		Watches(&v1alpha1.Channel{}, concern, gather.SpecChanged()).
		Watches(&v1alpha1.Contract{}, concern, gather.SpecChanged()).
		Watches(&v1alpha1.Line{}, concern, gather.SpecChanged()).
		Watches(&v1alpha1.Member{}, concern, gather.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, concern)
}

// Reconcile brings one Consortium's plans up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Gather.Consortium(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !in.Consortium.DeletionTimestamp.IsZero() {
		return apply.Result(r.retire(ctx, in))
	}
	return apply.Result(r.applyPlans(ctx, in, plan.Compute(in)))
}

// hold puts the finalizer on a Consortium before its first plan goes out.
func (r *Reconciler) hold(ctx context.Context, in plan.Input) error {
	if controllerutil.ContainsFinalizer(in.Consortium, v1alpha1.FinalizerRetire) {
		return nil
	}
	held := in.Consortium.DeepCopy()
	controllerutil.AddFinalizer(held, v1alpha1.FinalizerRetire)
	return r.setFinalizers(ctx, held)
}
