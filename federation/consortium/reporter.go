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
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/snapshot"
	statuses "github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/internal/apply"
)

// StatusManager owns the Consortia's statuses.
const StatusManager = "hanse-consortium-status"

// Reporter writes the status of one Consortium at a time.
type Reporter struct {
	Client   client.Client
	Snapshot snapshot.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// WriteErrors are of the plans that the Reconciler could not write.
	WriteErrors *PlanWriteErrors
}

// SetupWithManager watches the inputs of a Consortium's status.
func (r *Reporter) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return watch(mgr, "consortium-status", snapshot.EnqueueDebounced(r.Snapshot.Consortia), options).
		WatchesRawSource(source.Func(r.WriteErrors.start)).Complete(r)
}

// Reconcile writes one Consortium's status if it has changed.
func (r *Reporter) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Snapshot.Consortium(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	in.WriteErrors = r.WriteErrors.of(req.NamespacedName)
	before, status := in.Consortium.Status, r.status(in, r.Clock.Now())
	result, err := apply.Report(ctx, r.Client, r.Recorder, StatusManager, in.Consortium, before, status)
	if at, ok := plan.RolloutDeadline(in, status.Rollout); ok && err == nil && result.IsZero() {
		result.RequeueAfter = max(at.Sub(r.Clock.Now()), time.Second)
	}
	return result, err
}

func (r *Reporter) status(in plan.Input, now time.Time) v1alpha1.ConsortiumStatus {
	if in.Consortium.DeletionTimestamp.IsZero() {
		return statuses.Consortium(in, plan.Compute(in), now)
	}
	plans := make([]v1alpha1.MemberPlan, 0, len(in.Plans))
	for _, p := range in.Plans {
		plans = append(plans, *p)
	}
	return statuses.Retiring(in, pendingMembers(in, plans), now)
}
