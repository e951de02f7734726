// Package contract assigns the sequence of every Contract's definition, and aggregates what the Members report of the
// Contract into its status. It must know nothing of what a definition means to a ledger, and writes nothing but that status.
package contract

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/snapshot"
	statuses "github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/internal/apply"
)

// FieldManager owns the Contracts' statuses.
const FieldManager = "hanse-contract"

// Reconciler writes the status of one Contract at a time.
type Reconciler struct {
	Client   client.Client
	Snapshot snapshot.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches the inputs of a Contract's status.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("contract").
		WithOptions(options).
		Watches(&v1alpha1.Contract{}, snapshot.EnqueueDebounced(snapshot.EnqueueSelf), snapshot.SpecChanged()).
		Watches(&v1alpha1.Channel{}, snapshot.EnqueueDebounced(r.contractsOnChannel), snapshot.SpecChanged()).
		Watches(&v1alpha1.Consortium{}, snapshot.EnqueueDebounced(r.Snapshot.Contracts), snapshot.SpecChanged()).
		Watches(&v1alpha1.Member{}, snapshot.EnqueueDebounced(r.Snapshot.Contracts), snapshot.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, snapshot.EnqueueDebounced(r.Snapshot.Contracts), snapshot.PlanReported()).
		Complete(r)
}

func (r *Reconciler) contractsOnChannel(ctx context.Context, channel client.Object) []types.NamespacedName {
	return r.Snapshot.ContractsOnChannel(ctx, client.ObjectKeyFromObject(channel))
}

// Reconcile writes one Contract's status if it has changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	contract := &v1alpha1.Contract{}
	if err := r.Client.Get(ctx, req.NamespacedName, contract); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status, err := r.status(ctx, contract)
	if err != nil || !contract.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, err
	}
	return apply.Report(ctx, r.Client, r.Recorder, FieldManager, contract, contract.Status, status)
}

func (r *Reconciler) status(ctx context.Context, contract *v1alpha1.Contract) (v1alpha1.ContractStatus, error) {
	channel := &v1alpha1.Channel{}
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: contract.Namespace, Name: contract.Spec.Channel}, channel)
	switch {
	case apierrors.IsNotFound(err):
		return statuses.OrphanedContract(contract, plan.UnknownChannel(contract), r.Clock.Now()), nil
	case err != nil:
		return v1alpha1.ContractStatus{}, err
	}
	in, err := r.Snapshot.Consortium(ctx, types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Consortium})
	switch {
	case apierrors.IsNotFound(err):
		return statuses.OrphanedContract(contract, plan.UnknownConsortium(channel), r.Clock.Now()), nil
	case err != nil:
		return v1alpha1.ContractStatus{}, err
	}
	return statuses.Contract(in, plan.Validate(in), contract, r.Clock.Now()), nil
}
