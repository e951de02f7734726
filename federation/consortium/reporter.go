package consortium

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
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

// StatusManager owns the Consortia's statuses.
const StatusManager = "hanse-consortium-status"

// reportPause is the least time between two statuses of one Consortium. People read them; plans never wait for them.
const reportPause = 100 * time.Millisecond

// Reporter writes the status of one Consortium at a time.
type Reporter struct {
	Client   client.Client
	Gather   gather.Gatherer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock

	mu       sync.Mutex
	reported map[types.NamespacedName]time.Time
}

// SetupWithManager watches everything that a status follows from.
func (r *Reporter) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	r.reported = map[types.NamespacedName]time.Time{}
	return watch(mgr, "consortium-status", r.Gather, options).Complete(r)
}

// Reconcile writes one Consortium's status if it says anything new.
func (r *Reporter) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	now := r.Clock.Now()
	if wait := r.last(req.NamespacedName).Add(reportPause).Sub(now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	in, err := r.Gather.Consortium(ctx, req.NamespacedName)
	if err != nil {
		r.note(req.NamespacedName, time.Time{})
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before, status := in.Consortium.Status, r.status(in, now)
	if equality.Semantic.DeepEqual(before, status) {
		return ctrl.Result{}, nil
	}
	if err := apply.Status(ctx, r.Client, StatusManager, in.Consortium, &status, ""); err != nil {
		return apply.Result(client.IgnoreNotFound(err))
	}
	r.note(req.NamespacedName, now)
	apply.Transitions(r.Recorder, in.Consortium, before.Conditions, status.Conditions,
		v1alpha1.ConditionAccepted, v1alpha1.ConditionReady)
	return ctrl.Result{}, nil
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

// last is when a Consortium's status was last written.
func (r *Reporter) last(key types.NamespacedName) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reported[key]
}

// note remembers when a Consortium's status was written; the zero time forgets it.
func (r *Reporter) note(key types.NamespacedName, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.IsZero() {
		delete(r.reported, key)
		return
	}
	r.reported[key] = at
}
