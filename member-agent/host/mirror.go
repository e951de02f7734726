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
	"github.com/hanse-io/hanse/member-agent/apply"
)

// MirrorOwner is the field manager of the mirrors in the own cluster.
const MirrorOwner = "hanse-mirror"

const (
	// conflictPause is how long a conflict leaves the caches to catch up.
	conflictPause = 10 * time.Millisecond
	// refusedAgain is when a plan that was refused is looked at again, if nothing happens to it.
	refusedAgain = time.Minute
)

// mirror copies one plan down and its status up; a plan's name is the key.
type mirror struct {
	link *Link
	conn *connection
}

// runMirror works until ctx ends. Both directions share one queue, so that a plan is only ever in one pair of hands.
func (l *Link) runMirror(ctx context.Context, conn *connection) error {
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
	if err := c.Watch(source.Func(func(_ context.Context, q queue) error { return l.feed(ctx, conn, q) })); err != nil {
		return fmt.Errorf("watch plans: %w", err)
	}
	return c.Start(ctx)
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// What comes from the host goes before what is to be reported: in a burst, every plan is mirrored before the first is
// reported on.
const (
	fromHost = 0
	fromHere = -1
)

// feed queues every plan of either cluster, and those that change, until ctx ends.
func (l *Link) feed(ctx context.Context, conn *connection, q queue) error {
	l.local.attach(q)
	context.AfterFunc(ctx, func() { l.local.detach(q) })
	var mirrors v1alpha1.MemberPlanList
	if err := l.options.Cache.List(ctx, &mirrors, client.InNamespace(l.options.Namespace)); err != nil {
		return fmt.Errorf("list the mirrors: %w", err)
	}
	for i := range mirrors.Items {
		l.ceiling.know(&mirrors.Items[i])
		add(q, mirrors.Items[i].Name, fromHere)
	}
	go conn.plans.follow(ctx, func(name string) { add(q, name, fromHost) }, func(err error) {
		conn.notice(err)
		l.log.V(1).Info("the host's plans cannot be listed", "error", err.Error())
	})
	return nil
}

func add(q queue, name string, priority int) {
	req := reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
	if ordered, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		ordered.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, req)
		return
	}
	q.Add(req)
}

// localEvents tells whichever session with the host there is of changes to the mirrors. It is the only handler that the
// agent has at the own cluster's cache: sessions come and go, and a handler of each would stay.
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
		add(e.queue, name, fromHere)
	}
}

// observe follows the mirrors in the own cluster's cache, until the function that it returns is called.
func (l *Link) observe(ctx context.Context) (stop func(), err error) {
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
				l.ceiling.forget(plan.Name)
			}
			changed(o)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watch the mirrors: %w", err)
	}
	return func() { _ = informer.RemoveEventHandler(registration) }, nil
}

// Reconcile brings the mirror up to the plan and the plan's status up to the mirror's.
func (m *mirror) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var copied v1alpha1.MemberPlan
	here, err := found(m.link.options.Cache.Get(ctx, client.ObjectKey{Namespace: m.link.options.Namespace, Name: req.Name}, &copied))
	if err != nil {
		return reconcile.Result{}, err
	}
	plan, err := m.conn.plans.get(ctx, req.Name)
	var unusable errUnusable
	if errors.As(err, &unusable) {
		return m.refused(ctx, req.Name, nil, &copied, refusal{v1alpha1.ReasonInvalid, unusable.why})
	}
	there, err := found(err)
	if err != nil {
		m.conn.notice(err)
		return reconcile.Result{}, err
	}
	if !there {
		return reconcile.Result{}, m.gone(ctx, req.Name, here, &copied)
	}
	if !plan.Undecodable.InStatus() {
		return m.refused(ctx, req.Name, plan, &copied, refusal{v1alpha1.ReasonUndecodable, plan.Undecodable.String()})
	}
	if !here || !current(plan, &copied) || copied.Annotations[AnnotationRefused] != "" {
		if result, done, err := m.bring(ctx, plan, &copied); done {
			return result, err
		}
	}
	if !here {
		return reconcile.Result{}, nil
	}
	err = m.report(ctx, plan, &copied)
	if overtaken(err) {
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return reconcile.Result{}, err
}

// bring checks a plan and mirrors it. done says that there is nothing more to do in this turn.
func (m *mirror) bring(ctx context.Context, plan, copied *v1alpha1.MemberPlan) (result reconcile.Result, done bool, err error) {
	if reason, why := m.link.options.Check(plan); why != "" {
		result, err = m.refused(ctx, plan.Name, plan, copied, refusal{reason, why})
		return result, true, err
	}
	if wait := m.link.pace.wait(plan.Name, m.link.options.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, true, nil
	}
	why, undo := m.link.ceiling.admit(plan)
	if why != "" {
		result, err = m.refused(ctx, plan.Name, plan, copied, refusal{v1alpha1.ReasonLimitExceeded, why})
		return result, true, err
	}
	m.link.refusals.forget(plan.Name)
	err = m.write(ctx, plan, copied)
	switch {
	case err == nil:
		return reconcile.Result{}, false, nil
	case overtaken(err):
		undo()
		return reconcile.Result{RequeueAfter: conflictPause}, true, nil
	}
	undo()
	return reconcile.Result{}, true, m.notMirrored(ctx, plan, err)
}

// refused leaves what runs as it is. A mirror that there is says that the host has another plan, which is refused.
func (m *mirror) refused(ctx context.Context, name string, plan, copied *v1alpha1.MemberPlan, what refusal) (reconcile.Result, error) {
	said := what.reason + ": " + what.why
	if copied.ResourceVersion != "" && copied.Annotations[AnnotationRefused] != said && copied.Undecodable.InStatus() {
		next := copied.DeepCopy()
		next.Annotations = merged(next.Annotations, map[string]string{AnnotationRefused: said})
		err := apply.CreateOrReplace(ctx, m.link.options.Own, next, MirrorOwner)
		if overtaken(err) {
			return reconcile.Result{RequeueAfter: conflictPause}, nil
		}
		if err != nil {
			return reconcile.Result{}, err
		}
	}
	news := m.tell(name, what)
	reported := false
	if plan != nil && plan.Undecodable.InStatus() {
		_, reported = Report(plan, copied)
	}
	var err error
	switch {
	case reported:
		// What there is goes on, and is reported on; that the host has another plan is in its status.
		err = m.report(ctx, plan, copied)
	case plan != nil || news:
		err = m.refuse(ctx, name, plan, what)
	}
	if err != nil {
		m.link.refusals.forget(name)
	}
	if overtaken(err) {
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	// What is over a limit now may not be once another plan has gone, of which nobody tells this one.
	return reconcile.Result{RequeueAfter: wait.Jitter(refusedAgain, 1)}, client.IgnoreNotFound(err)
}

// overtaken says that the object is not any more, or not yet, as the cache has it. What somebody wrote is on its way.
func overtaken(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

// gone is called when the host has no such plan. The mirror goes only if everything it had deployed was taken down on
// the host's word; otherwise it stays, and what runs stays with it.
func (m *mirror) gone(ctx context.Context, name string, here bool, copied *v1alpha1.MemberPlan) error {
	m.link.refusals.forget(name)
	if !here || !copied.Spec.Retire || !meta.IsStatusConditionTrue(copied.Status.Conditions, v1alpha1.PlanRetired) {
		return nil
	}
	err := m.link.options.Own.Delete(ctx, copied, client.Preconditions{UID: &copied.UID, ResourceVersion: &copied.ResourceVersion})
	if apierrors.IsConflict(err) {
		return nil
	}
	return client.IgnoreNotFound(err)
}

// write makes the mirror, or brings it up to the plan.
func (m *mirror) write(ctx context.Context, plan, copied *v1alpha1.MemberPlan) error {
	next := Mirror(plan, m.link.options.Namespace)
	if copied.ResourceVersion != "" {
		next.ResourceVersion, next.UID = copied.ResourceVersion, copied.UID
		next.Finalizers, next.OwnerReferences = copied.Finalizers, copied.OwnerReferences
		next.Labels = merged(copied.Labels, next.Labels)
		next.Annotations = merged(copied.Annotations, next.Annotations)
		delete(next.Annotations, AnnotationRefused)
	}
	return apply.CreateOrReplace(ctx, m.link.options.Own, next, MirrorOwner)
}

// merged keeps what others have put beside what is ours.
func merged(have, want map[string]string) map[string]string {
	all := maps.Clone(have)
	if all == nil {
		return want
	}
	maps.Copy(all, want)
	return all
}

// notMirrored tells the host that its plan has not come through.
func (m *mirror) notMirrored(ctx context.Context, plan *v1alpha1.MemberPlan, cause error) error {
	next := plan.DeepCopy()
	if meta.SetStatusCondition(&next.Status.Conditions, metav1.Condition{
		Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonFailed,
		ObservedGeneration: plan.Generation,
		Message:            coarse(v1alpha1.ReasonFailed),
	}) {
		if err := m.conn.client.Status().Update(ctx, next, client.FieldOwner(ReportOwner)); err != nil {
			m.conn.notice(err)
		}
	}
	return fmt.Errorf("mirror the plan %s: %w", plan.Name, cause)
}

func (m *mirror) report(ctx context.Context, plan, copied *v1alpha1.MemberPlan) error {
	status, ok := Report(plan, copied)
	if !ok || (equality.Semantic.DeepEqual(status, plan.Status) && len(plan.Undecodable) == 0) {
		return nil
	}
	next := plan.DeepCopy()
	next.Status = status
	if err := m.conn.client.Status().Update(ctx, next, client.FieldOwner(ReportOwner)); err != nil {
		m.conn.notice(err)
		return client.IgnoreNotFound(err)
	}
	return nil
}

func found(err error) (bool, error) {
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
