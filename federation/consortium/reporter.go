package consortium

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
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

// StatusManager owns the statuses of Consortia and of their Channels and Contracts.
const StatusManager = "hanse-consortium-status"

// parallelStatuses is how many statuses of one Consortium are written at once.
const parallelStatuses = 8

// Reporter writes the statuses of one Consortium at a time: its own and those of its Channels and Contracts, all computed
// from one snapshot.
type Reporter struct {
	Client   client.Client
	Snapshot snapshot.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// WriteErrors are of the plans that the Reconciler could not write.
	WriteErrors *PlanWriteErrors
}

// SetupWithManager watches the inputs of a Consortium's statuses.
func (r *Reporter) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return watch(mgr, "consortium-status", snapshot.EnqueueDebounced(r.Snapshot.Consortia), options).
		WatchesRawSource(source.Func(r.WriteErrors.start)).Complete(r)
}

// Reconcile writes those of one Consortium's statuses that have changed. If there is no such Consortium, Channels may name
// it all the same.
func (r *Reporter) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in, err := r.Snapshot.Consortium(ctx, req.NamespacedName)
	if apierrors.IsNotFound(err) {
		return r.orphans(ctx, req.NamespacedName)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	in.WriteErrors = r.WriteErrors.of(req.NamespacedName)
	now, computed := r.Clock.Now(), plan.Compute(in)
	status := consortiumStatus(in, computed, now)
	writes := statusWrites{ctx: ctx, client: r.Client, recorder: r.Recorder}
	write(&writes, in.Consortium, in.Consortium.Status, status)
	for i := range in.Channels {
		c := &in.Channels[i]
		write(&writes, c, c.Status, statuses.Channel(in, computed, c, now))
	}
	for i := range in.Contracts {
		c := &in.Contracts[i]
		write(&writes, c, c.Status, statuses.Contract(in, computed, c, now))
	}
	result, err := writes.wait()
	if at, ok := plan.RolloutDeadline(in, status.Rollout); ok && err == nil && result.IsZero() {
		result.RequeueAfter = max(at.Sub(now), time.Second)
	}
	return result, err
}

// orphans writes the statuses of the Channels that name a Consortium which does not exist, and of their Contracts.
func (r *Reporter) orphans(ctx context.Context, consortium types.NamespacedName) (ctrl.Result, error) {
	channels, contracts, err := r.Snapshot.Declared(ctx, consortium)
	if err != nil {
		return ctrl.Result{}, err
	}
	now, byName := r.Clock.Now(), map[string]*v1alpha1.Channel{}
	writes := statusWrites{ctx: ctx, client: r.Client, recorder: r.Recorder}
	for i := range channels {
		c := &channels[i]
		byName[c.Name] = c
		write(&writes, c, c.Status, statuses.OrphanedChannel(c, now))
	}
	for i := range contracts {
		c := &contracts[i]
		write(&writes, c, c.Status, statuses.OrphanedContract(c, plan.UnknownConsortium(byName[c.Spec.Channel]), now))
	}
	return writes.wait()
}

func consortiumStatus(in plan.Input, computed plan.Result, now time.Time) v1alpha1.ConsortiumStatus {
	if in.Consortium.DeletionTimestamp.IsZero() {
		return statuses.Consortium(in, computed, now)
	}
	plans := make([]v1alpha1.MemberPlan, 0, len(in.Plans))
	for _, p := range in.Plans {
		plans = append(plans, *p)
	}
	return statuses.Retiring(in, pendingMembers(in, plans), now)
}

// statusWrites are status writes that run in parallel. One that fails does not stop the others.
type statusWrites struct {
	ctx      context.Context
	client   client.Client
	recorder events.EventRecorder

	group   errgroup.Group
	mu      sync.Mutex
	result  ctrl.Result
	started bool
}

// write writes a status if it has changed.
func write[S apply.ConditionedStatus](w *statusWrites, object client.Object, before, after S) {
	if !w.started {
		w.group.SetLimit(parallelStatuses)
		w.started = true
	}
	w.group.Go(func() error {
		result, err := apply.Report(w.ctx, w.client, w.recorder, StatusManager, object, before, after)
		w.mu.Lock()
		defer w.mu.Unlock()
		if !result.IsZero() {
			w.result = result
		}
		return err
	})
}

func (w *statusWrites) wait() (ctrl.Result, error) {
	err := w.group.Wait()
	return w.result, err
}
