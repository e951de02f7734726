// Package channel aggregates what the Members report of a Channel into its status. It must know nothing of plans beyond
// what the packages plan and status compute from them, and writes nothing but that status.
package channel

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

// FieldManager owns the Channels' statuses.
const FieldManager = "hanse-channel"

// Reconciler writes the status of one Channel at a time.
type Reconciler struct {
	Client   client.Client
	Snapshot snapshot.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches the inputs of a Channel's status.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("channel").
		WithOptions(options).
		Watches(&v1alpha1.Channel{}, snapshot.EnqueueDebounced(snapshot.EnqueueSelf), snapshot.SpecChanged()).
		Watches(&v1alpha1.Consortium{}, snapshot.EnqueueDebounced(r.Snapshot.Channels), snapshot.SpecChanged()).
		Watches(&v1alpha1.Member{}, snapshot.EnqueueDebounced(r.Snapshot.Channels), snapshot.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, snapshot.EnqueueDebounced(r.Snapshot.Channels), snapshot.PlanReported()).
		Complete(r)
}

// Reconcile writes one Channel's status if it has changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	channel := &v1alpha1.Channel{}
	if err := r.Client.Get(ctx, req.NamespacedName, channel); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status, err := r.status(ctx, channel)
	if err != nil || !channel.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, err
	}
	return apply.Report(ctx, r.Client, r.Recorder, FieldManager, channel, channel.Status, status)
}

func (r *Reconciler) status(ctx context.Context, channel *v1alpha1.Channel) (v1alpha1.ChannelStatus, error) {
	key := types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Consortium}
	in, err := r.Snapshot.Consortium(ctx, key)
	switch {
	case apierrors.IsNotFound(err):
		return statuses.OrphanedChannel(channel, r.Clock.Now()), nil
	case err != nil:
		return v1alpha1.ChannelStatus{}, err
	}
	return statuses.Channel(in, plan.Validate(in), channel, r.Clock.Now()), nil
}
