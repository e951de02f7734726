package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
)

// MirrorOwner is the field manager of the mirrors in the own cluster.
const MirrorOwner = "hanse-mirror"

const (
	// conflictRetry is the requeue delay after a conflict, in which the caches catch up.
	conflictRetry = 10 * time.Millisecond
	// rejectedRetry is the requeue interval of a rejected plan.
	rejectedRetry = time.Minute
)

// mirror copies one plan and the statements that it refers to down, its status and the own statements up; a plan's name is
// the key.
type mirror struct {
	link *HostSession
	conn *connection
}

// runMirror works until ctx ends. Both directions share one queue, so that no plan is reconciled twice at a time.
func (l *HostSession) runMirror(ctx context.Context, conn *connection) error {
	c, err := controller.NewUnmanaged("mirror", controller.Options{
		Reconciler:              &mirror{link: l, conn: conn},
		MaxConcurrentReconciles: l.options.Workers,
		SkipNameValidation:      ptr.To(true),
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
			20*time.Millisecond, 30*time.Second),
		CacheSyncTimeout: time.Hour,
		Logger:           l.log,
	})
	if err != nil {
		return fmt.Errorf("make the mirroring controller: %w", err)
	}
	if err := c.Watch(source.Func(func(_ context.Context, q queue) error { return l.watchPlans(ctx, conn, q) })); err != nil {
		return fmt.Errorf("watch plans: %w", err)
	}
	return c.Start(ctx)
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Priorities: the host's changes go before reports, so that in a burst every plan is mirrored before the first report.
const (
	fromHost  = 0
	fromLocal = -1
)

// watchPlans enqueues every plan of either cluster, and those that change, until ctx ends.
func (l *HostSession) watchPlans(ctx context.Context, conn *connection, q queue) error {
	l.local.attach(q)
	context.AfterFunc(ctx, func() { l.local.detach(q) })
	var mirrors v1alpha1.MemberPlanList
	if err := l.options.Cache.List(ctx, &mirrors, client.InNamespace(l.options.Namespace)); err != nil {
		return fmt.Errorf("list the mirrors: %w", err)
	}
	for i := range mirrors.Items {
		l.usage.addExisting(&mirrors.Items[i])
		enqueue(q, mirrors.Items[i].Name, fromLocal)
	}
	go conn.plans.run(ctx, func(name string) { enqueue(q, name, fromHost) }, func(err error) {
		conn.checkUnauthorized(err)
		l.log.V(1).Info("the host's plans cannot be listed", "error", err.Error())
	})
	return nil
}

func enqueue(q queue, name string, priority int) {
	req := reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
	if ordered, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		ordered.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, req)
		return
	}
	q.Add(req)
}

// localEvents passes changes of the mirrors to the current session. It is the only handler at the own cluster's cache:
// a handler of each session would stay registered.
type localEvents struct {
	mu    sync.Mutex
	queue queue
}

func (e *localEvents) attach(q queue) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = q
}

func (e *localEvents) detach(q queue) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.queue == q {
		e.queue = nil
	}
}

func (e *localEvents) changed(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.queue != nil {
		enqueue(e.queue, name, fromLocal)
	}
}

// watchMirrors watches the mirrors in the own cluster's cache until stop is called.
func (l *HostSession) watchMirrors(ctx context.Context) (stop func(), err error) {
	informer, err := l.options.Cache.GetInformer(ctx, &v1alpha1.MemberPlan{})
	if err != nil {
		return nil, fmt.Errorf("watch the mirrors: %w", err)
	}
	changed := func(o any) {
		if plan, ok := o.(*v1alpha1.MemberPlan); ok && plan.Namespace == l.options.Namespace {
			l.local.changed(plan.Name)
		}
	}
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: changed, UpdateFunc: func(_, o any) { changed(o) },
		DeleteFunc: func(o any) {
			if last, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			if plan, ok := o.(*v1alpha1.MemberPlan); ok {
				l.usage.forget(plan.Name)
			}
			changed(o)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watch the mirrors: %w", err)
	}
	return func() { _ = informer.RemoveEventHandler(registration) }, nil
}

// Reconcile updates the mirror from the plan, and the plan's status from the mirror.
func (m *mirror) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var copied v1alpha1.MemberPlan
	local, err := ignoreNotFound(m.link.options.Cache.Get(ctx, client.ObjectKey{Namespace: m.link.options.Namespace, Name: req.Name}, &copied))
	if err != nil {
		return reconcile.Result{}, err
	}
	plan, err := m.conn.plans.get(ctx, req.Name)
	var unusable errInvalidPlan
	if errors.As(err, &unusable) {
		return m.reject(ctx, req.Name, nil, &copied, rejection{v1alpha1.ReasonInvalid, unusable.why})
	}
	onHost, err := ignoreNotFound(err)
	if err != nil {
		m.conn.checkUnauthorized(err)
		return reconcile.Result{}, err
	}
	if !onHost {
		return reconcile.Result{}, m.deletedOnHost(ctx, req.Name, local, &copied)
	}
	if !plan.Undecodable.InStatus() {
		return m.reject(ctx, req.Name, plan, &copied, rejection{v1alpha1.ReasonUndecodable, plan.Undecodable.String()})
	}
	whole, again, err := m.join(ctx, plan, &copied)
	var wrong errDefinition
	if errors.As(err, &wrong) {
		return m.reject(ctx, req.Name, plan, &copied, rejection{v1alpha1.ReasonConsortiumDefinition, wrong.why})
	}
	if err != nil {
		m.conn.checkUnauthorized(err)
		return reconcile.Result{}, err
	}
	if whole == nil { // the previous plan stays in effect, and what is done of it is reported
		return m.exchange(ctx, plan, local, &copied, again, nil)
	}
	if !local || !current(whole, &copied) || copied.Annotations[AnnotationRefused] != "" {
		if result, done, err := m.update(ctx, whole, &copied); done {
			return result, err
		}
	}
	again, err = m.fetchStatements(ctx, whole)
	return m.exchange(ctx, plan, local, &copied, again, err)
}

// exchange reports the status of the mirror, if there is one, and ends a reconciliation: err is what has failed before, and again
// when to look again; with 0 that is only in case that somebody deletes a statement on the host.
func (m *mirror) exchange(ctx context.Context, plan *v1alpha1.MemberPlan, local bool, copied *v1alpha1.MemberPlan, again time.Duration, err error) (reconcile.Result, error) {
	if local {
		err = errors.Join(err, m.report(ctx, plan, copied))
	}
	if isConflict(err) {
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if again == 0 {
		again = wait.Jitter(republish, 1)
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// update validates a plan and mirrors it. done says that this reconciliation ends here.
func (m *mirror) update(ctx context.Context, plan, copied *v1alpha1.MemberPlan) (result reconcile.Result, done bool, err error) {
	if reason, why := m.link.options.Check(plan); why != "" {
		result, err = m.reject(ctx, plan.Name, plan, copied, rejection{reason, why})
		return result, true, err
	}
	if wait := m.link.writeLimiter.wait(plan.Name, m.link.options.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, true, nil
	}
	why, undo := m.link.usage.admit(plan)
	if why != "" {
		result, err = m.reject(ctx, plan.Name, plan, copied, rejection{v1alpha1.ReasonLimitExceeded, why})
		return result, true, err
	}
	m.link.rejections.forget(plan.Name)
	err = m.write(ctx, plan, copied)
	switch {
	case err == nil:
		return reconcile.Result{}, false, nil
	case isConflict(err):
		undo()
		return reconcile.Result{RequeueAfter: conflictRetry}, true, nil
	}
	undo()
	return reconcile.Result{}, true, m.reportFailure(ctx, plan, err)
}

// reject reports a rejected plan, here and to the host. An existing mirror stays and is annotated.
func (m *mirror) reject(ctx context.Context, name string, plan, copied *v1alpha1.MemberPlan, what rejection) (reconcile.Result, error) {
	annotation := what.reason + ": " + what.why
	if copied.ResourceVersion != "" && copied.Annotations[AnnotationRefused] != annotation && copied.Undecodable.InStatus() {
		next := copied.DeepCopy()
		next.Annotations = mergeMaps(next.Annotations, map[string]string{AnnotationRefused: annotation})
		err := apply.CreateOrReplace(ctx, m.link.options.Own, MirrorOwner, next)
		if isConflict(err) {
			return reconcile.Result{RequeueAfter: conflictRetry}, nil
		}
		if err != nil {
			return reconcile.Result{}, err
		}
	}
	news := m.reportLocally(name, what)
	reported := false
	if plan != nil && plan.Undecodable.InStatus() {
		_, reported = Report(plan, copied)
	}
	var err error
	switch {
	case reported:
		// The existing mirror stays in use; its status has the rejection.
		err = m.report(ctx, plan, copied)
	case plan != nil || news:
		err = m.reportToHost(ctx, name, plan, what)
	}
	if err != nil {
		m.link.rejections.forget(name)
	}
	if isConflict(err) {
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	// A limit may no longer be exceeded once another plan has been deleted, which triggers no event of this one.
	return reconcile.Result{RequeueAfter: wait.Jitter(rejectedRetry, 1)}, client.IgnoreNotFound(err)
}

// isConflict says that the cache is behind; an event for the newer object will follow.
func isConflict(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

// deletedOnHost is called when the host has no such plan. The mirror is deleted only if the plan was retired and
// everything was removed; otherwise the mirror and its workloads stay.
func (m *mirror) deletedOnHost(ctx context.Context, name string, local bool, copied *v1alpha1.MemberPlan) error {
	m.link.rejections.forget(name)
	if !local || !copied.Spec.Retire || !meta.IsStatusConditionTrue(copied.Status.Conditions, v1alpha1.PlanRetired) {
		return nil
	}
	err := m.link.options.Own.Delete(ctx, copied, client.Preconditions{UID: &copied.UID, ResourceVersion: &copied.ResourceVersion})
	if apierrors.IsConflict(err) {
		return nil
	}
	return client.IgnoreNotFound(err)
}

// write creates or updates the mirror.
func (m *mirror) write(ctx context.Context, plan, copied *v1alpha1.MemberPlan) error {
	next := Mirror(plan, m.link.options.Namespace)
	if copied.ResourceVersion != "" {
		next.ResourceVersion, next.UID = copied.ResourceVersion, copied.UID
		next.Finalizers, next.OwnerReferences = copied.Finalizers, copied.OwnerReferences
		next.Labels = mergeMaps(copied.Labels, next.Labels)
		next.Annotations = mergeMaps(copied.Annotations, next.Annotations)
		delete(next.Annotations, AnnotationRefused)
	}
	return apply.CreateOrReplace(ctx, m.link.options.Own, MirrorOwner, next)
}

// mergeMaps keeps the entries of others beside the own ones.
func mergeMaps(have, want map[string]string) map[string]string {
	all := maps.Clone(have)
	if all == nil {
		return want
	}
	maps.Copy(all, want)
	return all
}

// reportFailure sets the plan's condition on the host after a failed write of the mirror.
func (m *mirror) reportFailure(ctx context.Context, plan *v1alpha1.MemberPlan, cause error) error {
	next := withStatus(plan, *plan.Status.DeepCopy())
	if meta.SetStatusCondition(&next.Status.Conditions, metav1.Condition{
		Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonFailed,
		ObservedGeneration: plan.Generation,
		Message:            genericMessage(v1alpha1.ReasonFailed),
	}) {
		if err := m.conn.client.Status().Update(ctx, next, client.FieldOwner(ReportOwner)); err != nil {
			m.conn.checkUnauthorized(err)
		}
	}
	return fmt.Errorf("mirror the plan %s: %w", plan.Name, cause)
}

func (m *mirror) report(ctx context.Context, plan, copied *v1alpha1.MemberPlan) error {
	status, ok := Report(plan, copied)
	if !ok {
		return nil
	}
	unpublished := m.publishStatements(ctx, plan, &status)
	return errors.Join(m.writeStatus(ctx, plan, status), unpublished)
}

func (m *mirror) writeStatus(ctx context.Context, plan *v1alpha1.MemberPlan, status v1alpha1.MemberPlanStatus) error {
	if equality.Semantic.DeepEqual(status, plan.Status) && len(plan.Undecodable) == 0 {
		return nil
	}
	next := withStatus(plan, status)
	if err := m.conn.client.Status().Update(ctx, next, client.FieldOwner(ReportOwner)); err != nil {
		m.conn.checkUnauthorized(err)
		m.conn.plans.recent.forget(plan.Name)
		return client.IgnoreNotFound(err)
	}
	m.conn.plans.recent.wrote(next)
	return nil
}

// withStatus is the body of a request that updates a plan's status. It is without the spec, which the host would not take from it:
// that is most of a plan.
func withStatus(plan *v1alpha1.MemberPlan, status v1alpha1.MemberPlanStatus) *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{ObjectMeta: *plan.ObjectMeta.DeepCopy(), Status: status}
}

func ignoreNotFound(err error) (bool, error) {
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
