package consortium

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

// Orphans writes the statuses of Contracts whose Channel does not exist. They belong to no Consortium that could be known.
type Orphans struct {
	Client   client.Client
	Snapshot snapshot.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches Contracts, and the Channels that they name.
func (r *Orphans) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("orphaned-contract").
		WithOptions(options).
		Watches(&v1alpha1.Contract{}, snapshot.EnqueueDebounced(snapshot.EnqueueSelf), snapshot.SpecChanged()).
		Watches(&v1alpha1.Channel{}, snapshot.EnqueueDebounced(r.contractsOnChannel), snapshot.SpecChanged()).
		Complete(r)
}

func (r *Orphans) contractsOnChannel(ctx context.Context, channel client.Object) []types.NamespacedName {
	return r.Snapshot.ContractsOnChannel(ctx, client.ObjectKeyFromObject(channel))
}

// Reconcile writes one Contract's status, unless its Channel exists. It fails with a conflict, and is run again, if the
// Contract has changed since it was read: by the Reporter, perhaps, to which the Contract belongs since its Channel was made.
func (r *Orphans) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	contract := &v1alpha1.Contract{}
	if err := r.Client.Get(ctx, req.NamespacedName, contract); err != nil || !contract.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	channel := types.NamespacedName{Namespace: contract.Namespace, Name: contract.Spec.Channel}
	if err := r.Client.Get(ctx, channel, &v1alpha1.Channel{}); !apierrors.IsNotFound(err) {
		return ctrl.Result{}, err
	}
	status := statuses.OrphanedContract(contract, plan.UnknownChannel(contract), r.Clock.Now())
	return apply.ReportUnchanged(ctx, r.Client, r.Recorder, StatusManager, contract, contract.Status, status)
}
