// Package channel folds what the Members report of a Channel into its status. It must know nothing of plans beyond what
// the pure packages say of them, and writes nothing but that status.
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
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/gather"
	"github.com/hanse-io/hanse/federation/plan"
)

// FieldManager owns the Channels' statuses.
const FieldManager = "hanse-channel"

// Reconciler reports on one Channel at a time.
type Reconciler struct {
	Client   client.Client
	Gather   gather.Gatherer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches what a Channel's status follows from.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("channel").
		WithOptions(options).
		Watches(&v1alpha1.Channel{}, gather.Later(gather.Itself), gather.SpecChanged()).
		Watches(&v1alpha1.Consortium{}, gather.Later(r.Gather.Channels), gather.SpecChanged()).
		Watches(&v1alpha1.Member{}, gather.Later(r.Gather.Channels), gather.MemberChanged()).
		Watches(&v1alpha1.MemberPlan{}, gather.Later(r.Gather.Channels), gather.PlanReported()).
		Complete(r)
}

// Reconcile writes one Channel's status if it says anything new.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	channel := &v1alpha1.Channel{}
	if err := r.Client.Get(ctx, req.NamespacedName, channel); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status, err := r.status(ctx, channel)
	if err != nil || !channel.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, err
	}
	return apply.Report(ctx, r.Client, r.Recorder, FieldManager, channel, said(channel.Status), said(status))
}

func (r *Reconciler) status(ctx context.Context, channel *v1alpha1.Channel) (v1alpha1.ChannelStatus, error) {
	key := types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Consortium}
	in, err := r.Gather.Consortium(ctx, key)
	switch {
	case apierrors.IsNotFound(err):
		return fold.LoneChannel(channel, r.Clock.Now()), nil
	case err != nil:
		return v1alpha1.ChannelStatus{}, err
	}
	return fold.Channel(in, plan.Judge(in), channel, r.Clock.Now()), nil
}

func said(s v1alpha1.ChannelStatus) apply.Said[v1alpha1.ChannelStatus] {
	return apply.Said[v1alpha1.ChannelStatus]{Status: s, Conditions: s.Conditions}
}
