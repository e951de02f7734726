package consortium

import (
	"context"
	"errors"
	"fmt"
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
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/snapshot"
	statuses "github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/internal/apply"
)

// StatusManager owns the statuses of Consortia and of their Channels and Contracts.
const StatusManager = "hanse-consortium-status"

// retryInterval is how long after a failed write of a status the next one is tried while an image is rolled out.
const retryInterval = 10 * time.Second

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
	writes := r.statusWrites(ctx)
	write(writes, in.Consortium, in.Consortium.Status, status)
	for i := range in.Channels {
		c := &in.Channels[i]
		write(writes, c, c.Status, statuses.Channel(in, computed, c, now))
	}
	for i := range in.Contracts {
		c := &in.Contracts[i]
		write(writes, c, c.Status, statuses.Contract(in, computed, c, now))
	}
	result, err := writes.wait()
	at, rolling := plan.RolloutDeadline(in, status.Rollout)
	if !rolling {
		return result, err
	}
	if err != nil {
		// A status that cannot be written must not have the rollout wait for the queue's backoff.
		log.FromContext(ctx).Error(err, "write statuses")
		result.RequeueAfter = retryInterval
	}
	return beforeDeadline(result, at.Sub(now)), nil
}

// beforeDeadline has a Reconcile run again when a deadline is due, if not before. left may be negative.
func beforeDeadline(result ctrl.Result, left time.Duration) ctrl.Result {
	left = max(left, time.Second)
	if result.RequeueAfter == 0 || left < result.RequeueAfter {
		result.RequeueAfter = left
	}
	return result
}

// orphans writes the statuses of the Channels that name a Consortium which does not exist, and of their Contracts.
func (r *Reporter) orphans(ctx context.Context, consortium types.NamespacedName) (ctrl.Result, error) {
	channels, contracts, err := r.Snapshot.Declared(ctx, consortium)
	if err != nil {
		return ctrl.Result{}, err
	}
	now, byName := r.Clock.Now(), map[string]*v1alpha1.Channel{}
	writes := r.statusWrites(ctx)
	for i := range channels {
		c := &channels[i]
		byName[c.Name] = c
		write(writes, c, c.Status, statuses.OrphanedChannel(c, now))
	}
	for i := range contracts {
		c := &contracts[i]
		write(writes, c, c.Status, statuses.OrphanedContract(c, plan.UnknownConsortium(byName[c.Spec.Channel]), now))
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

	group  errgroup.Group
	mu     sync.Mutex
	result ctrl.Result
	failed []error
}

func (r *Reporter) statusWrites(ctx context.Context) *statusWrites {
	w := &statusWrites{ctx: ctx, client: r.Client, recorder: r.Recorder}
	w.group.SetLimit(parallelStatuses)
	return w
}

// write writes a status if it has changed.
func write[S apply.ConditionedStatus](w *statusWrites, object client.Object, before, after S) {
	w.group.Go(func() error {
		result, err := apply.Report(w.ctx, w.client, w.recorder, StatusManager, object, before, after)
		w.mu.Lock()
		defer w.mu.Unlock()
		if !result.IsZero() {
			w.result = result
		}
		if err != nil {
			w.failed = append(w.failed, fmt.Errorf("%s: %w", object.GetName(), err))
		}
		return nil
	})
}

func (w *statusWrites) wait() (ctrl.Result, error) {
	_ = w.group.Wait() // failed has them all
	return w.result, errors.Join(w.failed...)
}
