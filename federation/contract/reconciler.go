// Package contract gives every Contract's definition its sequence, and folds what the Members report of the Contract into
// its status. It must know nothing of what a definition means to a ledger, and writes nothing but that status.
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
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/gather"
	"github.com/hanse-io/hanse/federation/plan"
)

// FieldManager owns the Contracts' statuses.
const FieldManager = "hanse-contract"

// Reconciler reports on one Contract at a time.
type Reconciler struct {
	Client   client.Client
	Gather   gather.Gatherer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches what a Contract's status follows from.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("contract").
		WithOptions(options).
		Watches(&v1alpha1.Contract{}, gather.Later(gather.Itself), gather.SpecChanged()).
		Watches(&v1alpha1.Channel{}, gather.Later(r.onChannel), gather.SpecChanged()).
		Watches(&v1alpha1.Consortium{}, gather.Later(r.Gather.Contracts), gather.SpecChanged()).
		Watches(&v1alpha1.Member{}, gather.Later(r.Gather.Contracts), gather.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, gather.Later(r.Gather.Contracts), gather.PlanReported()).
		Complete(r)
}

func (r *Reconciler) onChannel(ctx context.Context, channel client.Object) []types.NamespacedName {
	return r.Gather.OnChannel(ctx, client.ObjectKeyFromObject(channel))
}

// Reconcile writes one Contract's status if it says anything new.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	contract := &v1alpha1.Contract{}
	if err := r.Client.Get(ctx, req.NamespacedName, contract); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status, err := r.status(ctx, contract)
	if err != nil || !contract.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, err
	}
	return apply.Report(ctx, r.Client, r.Recorder, FieldManager, contract, said(contract.Status), said(status))
}

func (r *Reconciler) status(ctx context.Context, contract *v1alpha1.Contract) (v1alpha1.ContractStatus, error) {
	channel := &v1alpha1.Channel{}
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: contract.Namespace, Name: contract.Spec.Channel}, channel)
	switch {
	case apierrors.IsNotFound(err):
		return fold.LoneContract(contract, plan.UnknownChannel(contract), r.Clock.Now()), nil
	case err != nil:
		return v1alpha1.ContractStatus{}, err
	}
	in, err := r.Gather.Consortium(ctx, types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Consortium})
	switch {
	case apierrors.IsNotFound(err):
		return fold.LoneContract(contract, plan.UnknownConsortium(channel), r.Clock.Now()), nil
	case err != nil:
		return v1alpha1.ContractStatus{}, err
	}
	return fold.Contract(in, plan.Judge(in), contract, r.Clock.Now()), nil
}

func said(s v1alpha1.ContractStatus) apply.Said[v1alpha1.ContractStatus] {
	return apply.Said[v1alpha1.ContractStatus]{Status: s, Conditions: s.Conditions}
}
