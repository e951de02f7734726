package host

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/apply"
)

// MirrorOwner is the field manager of the mirrors in the own cluster.
const MirrorOwner = "hanse-mirror"

// conflictPause is how long a conflict leaves the caches to catch up.
const conflictPause = 10 * time.Millisecond

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
	for src, priority := range map[cache.Cache]int{conn.cache: fromHost, l.options.Cache: fromHere} {
		if err := c.Watch(source.Kind(src, &v1alpha1.MemberPlan{}, byName(priority))); err != nil {
			return fmt.Errorf("watch plans: %w", err)
		}
	}
	return c.Start(ctx)
}

// What comes from the host goes before what is to be reported: in a burst, every plan is mirrored before the first is
// reported on.
const (
	fromHost = 0
	fromHere = -1
)

// byName queues a plan by its name, whichever cluster it is seen in.
func byName(priority int) handler.TypedEventHandler[*v1alpha1.MemberPlan, reconcile.Request] {
	add := func(q workqueue.TypedRateLimitingInterface[reconcile.Request], name string) {
		req := reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
		if ordered, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			ordered.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, req)
			return
		}
		q.Add(req)
	}
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.TypedFuncs[*v1alpha1.MemberPlan, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*v1alpha1.MemberPlan], q queue) {
			add(q, e.Object.Name)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*v1alpha1.MemberPlan], q queue) {
			add(q, e.ObjectNew.Name)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*v1alpha1.MemberPlan], q queue) {
			add(q, e.Object.Name)
		},
	}
}

// Reconcile brings the mirror up to the plan and the plan's status up to the mirror's.
func (m *mirror) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var plan, copied v1alpha1.MemberPlan
	there, err := found(m.conn.cache.Get(ctx, client.ObjectKey{Namespace: v1alpha1.MemberNamespace(m.link.options.Member), Name: req.Name}, &plan))
	if err != nil {
		return reconcile.Result{}, err
	}
	here, err := found(m.link.options.Cache.Get(ctx, client.ObjectKey{Namespace: m.link.options.Namespace, Name: req.Name}, &copied))
	if err != nil {
		return reconcile.Result{}, err
	}
	if !there {
		return reconcile.Result{}, m.gone(ctx, here, &copied)
	}
	if !plan.Undecodable.InStatus() {
		return reconcile.Result{}, m.undecodable(ctx, &plan)
	}
	if !here || !current(&plan, &copied) {
		err := m.write(ctx, &plan, &copied)
		if overtaken(err) {
			return reconcile.Result{RequeueAfter: conflictPause}, nil
		}
		if err != nil {
			return reconcile.Result{}, m.notMirrored(ctx, &plan, err)
		}
	}
	if !here {
		return reconcile.Result{}, nil
	}
	err = m.report(ctx, &plan, &copied)
	if overtaken(err) {
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return reconcile.Result{}, err
}

// overtaken says that the object is not any more, or not yet, as the cache has it. What somebody wrote is on its way.
func overtaken(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

// gone is called when the host has no such plan. The mirror goes only if everything it had deployed was taken down on
// the host's word; otherwise it stays, and what runs stays with it.
func (m *mirror) gone(ctx context.Context, here bool, copied *v1alpha1.MemberPlan) error {
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
	}
	return apply.Whole(ctx, m.link.options.Own, next, MirrorOwner)
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
		Message:            "the member's own cluster refuses the plan: " + cause.Error(),
	}) {
		if err := m.conn.client.Status().Update(ctx, next, client.FieldOwner(ReportOwner)); err != nil {
			m.conn.notice(err)
		}
	}
	return fmt.Errorf("mirror the plan %s: %w", plan.Name, cause)
}

// undecodable tells the host that its plan cannot be read. The mirror stays as it is, and so does what runs.
func (m *mirror) undecodable(ctx context.Context, plan *v1alpha1.MemberPlan) error {
	said := &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: plan.Namespace, Name: plan.Name}}
	said.Status.Conditions = slices.DeleteFunc(slices.Clone(plan.Status.Conditions), func(c metav1.Condition) bool { return c.Type != v1alpha1.PlanMirrored })
	changed := meta.SetStatusCondition(&said.Status.Conditions, metav1.Condition{
		Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonUndecodable,
		ObservedGeneration: plan.Generation, Message: fmt.Sprintf("%s: the last plan that could be read goes on to hold", plan.Undecodable),
	})
	if !changed {
		return nil
	}
	m.link.log.Info("the host's plan cannot be read", "plan", plan.Name, "why", plan.Undecodable.String())
	err := apply.Status(ctx, m.conn.client, said, ReportOwner)
	m.conn.notice(err)
	return client.IgnoreNotFound(err)
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
