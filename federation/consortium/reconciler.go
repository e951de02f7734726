// Package consortium writes the MemberPlans of every Consortium (Reconciler), and aggregates what the Members report into
// the statuses of the Consortium, its Channels and its Contracts (Reporter). It must know nothing of how plans are computed
// from the specs, nor of how they are carried out.
package consortium

import (
	"context"

	"golang.org/x/sync/semaphore"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/snapshot"
	"github.com/hanse-io/hanse/internal/apply"
)

// FieldManager owns the plans' specs, and the namespaces for statements with the access to them.
const FieldManager = "hanse-consortium"

// Reconciler writes the plans of one Consortium at a time, and gives its Members a namespace for their statements. It writes
// no status: agents wait for plans, so nothing else is done in this controller.
type Reconciler struct {
	Client client.Client
	// Live reads from the API server, not the cache: on deletion, where a plan missing from the cache would be left behind,
	// and to look at a namespace that is not Hanse's.
	Live     client.Reader
	Snapshot snapshot.Reader
	// WriteErrors tells the Reporter which plans the API server rejects.
	WriteErrors *PlanWriteErrors

	access  appliedAccess
	written writtenPlans
	// writes are the plans that are being written, of all Consortia together.
	writes *semaphore.Weighted
}

// SetupWithManager watches the inputs of the plans, and the namespaces for statements.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	r.writes = semaphore.NewWeighted(maxWrites)
	changed := snapshot.Enqueue(r.forgetAccess)
	return watch(mgr, "consortium", snapshot.Enqueue(r.Snapshot.Consortia), options).
		Watches(&v1alpha1.ConsortiumDefinition{}, snapshot.Enqueue(definedConsortium), builder.WithPredicates(existing)).
		Watches(&corev1.Namespace{}, changed, builder.WithPredicates(existing)).
		Watches(&rbacv1.RoleBinding{}, changed, builder.WithPredicates(existing)).
		Complete(r)
}

// watch lists the inputs of a Consortium's plans and status.
func watch(mgr ctrl.Manager, name string, enqueue handler.EventHandler, options controller.Options) *builder.Builder {
	return ctrl.NewControllerManagedBy(mgr).Named(name).WithOptions(options).
		Watches(&v1alpha1.Consortium{}, enqueue, snapshot.RolloutChanged()).
		Watches(&v1alpha1.Channel{}, enqueue, snapshot.SpecChanged()).
		Watches(&v1alpha1.Contract{}, enqueue, snapshot.SpecChanged()).
		Watches(&v1alpha1.Line{}, enqueue, snapshot.SpecChanged()).
		Watches(&v1alpha1.Member{}, enqueue, snapshot.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, enqueue)
}

// Reconcile brings one Consortium's plans up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Snapshot.Consortium(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !in.Consortium.DeletionTimestamp.IsZero() {
		return apply.Result(r.retire(ctx, in))
	}
	r.written.seen(in.Plans)
	return r.applyPlans(ctx, in, plan.Compute(in))
}

// ensureFinalizer adds the finalizer to a Consortium before its first plan is written.
func (r *Reconciler) ensureFinalizer(ctx context.Context, in plan.Input) error {
	if controllerutil.ContainsFinalizer(in.Consortium, v1alpha1.FinalizerRetire) {
		return nil
	}
	updated := in.Consortium.DeepCopy()
	controllerutil.AddFinalizer(updated, v1alpha1.FinalizerRetire)
	return r.setFinalizers(ctx, updated)
}
