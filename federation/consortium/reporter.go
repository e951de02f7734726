package consortium

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/gather"
	"github.com/hanse-io/hanse/federation/plan"
)

// StatusManager owns the Consortia's statuses.
const StatusManager = "hanse-consortium-status"

// Reporter writes the status of one Consortium at a time.
type Reporter struct {
	Client   client.Client
	Gather   gather.Gatherer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Unwritten are the plans that the Reconciler could not write.
	Unwritten *Unwritten
}

// SetupWithManager watches everything that a status follows from.
func (r *Reporter) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return watch(mgr, "consortium-status", gather.Later(r.Gather.Consortia), options).
		WatchesRawSource(source.Func(r.Unwritten.start)).Complete(r)
}

// Reconcile writes one Consortium's status if it says anything new.
func (r *Reporter) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Gather.Consortium(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	in.Unwritten = r.Unwritten.of(req.NamespacedName)
	before, status := in.Consortium.Status, r.status(in, r.Clock.Now())
	result, err := apply.Report(ctx, r.Client, r.Recorder, StatusManager, in.Consortium, said(before), said(status))
	if at, ok := plan.RolloutDeadline(in, status.Rollout); ok && err == nil && result.IsZero() {
		result.RequeueAfter = max(at.Sub(r.Clock.Now()), time.Second)
	}
	return result, err
}

func said(s v1alpha1.ConsortiumStatus) apply.Said[v1alpha1.ConsortiumStatus] {
	return apply.Said[v1alpha1.ConsortiumStatus]{Status: s, Conditions: s.Conditions}
}

func (r *Reporter) status(in plan.Input, now time.Time) v1alpha1.ConsortiumStatus {
	if in.Consortium.DeletionTimestamp.IsZero() {
		return fold.Consortium(in, plan.Compute(in), now)
	}
	plans := make([]v1alpha1.MemberPlan, 0, len(in.Plans))
	for _, p := range in.Plans {
		plans = append(plans, *p)
	}
	return fold.Retiring(in, waits(in, plans), now)
}
