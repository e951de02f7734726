package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// houseKey is the one key of the organization's own matters.
const houseKey = "organization"

// gather is how long events are gathered for the organization's controller.
const gather = 100 * time.Millisecond

// breath is the least time between two turns of a plan that objects in the cluster call for: a start is a hundred
// changes of pods, Secrets and the like, and a turn for each would leave less for what is starting.
const breath = 200 * time.Millisecond

var houseRequest = reconcile.Request{NamespacedName: types.NamespacedName{Name: houseKey}}

// New returns a Reconciler. What it opens lives by base.
func New(base context.Context, o Options) *Reconciler {
	r := &Reconciler{Options: o, base: base}
	r.problems = newProblems(o.Metrics)
	r.organization.Store(&organization{reason: v1alpha1.ReasonProgressing, waiting: "the organization's own certificates have not been looked at yet"})
	r.plans = &bell{namespace: o.Namespace, names: r.planNames, pause: breath, now: o.Now, due: map[string]time.Time{}}
	r.house = &bell{names: func() []string { return []string{houseKey} }, delay: gather}
	r.workers = &workers{ledger: o.Ledger, wake: r.plans.ring, running: map[string]*worker{}}
	r.rooms = &rooms{config: o.Config, own: o.Own, seen: r.seen, open: map[string]*room{}}
	return r
}

// Changed is told by discovery that it knows something new about a consortium.
func (r *Reconciler) Changed(consortium string) {
	r.plans.ring(consortium)
	r.house.ringAll()
}

func (r *Reconciler) seen(namespace string, obj client.Object, gone bool) {
	r.Applier.Observe(obj, gone)
	r.plans.murmur(strings.TrimPrefix(namespace, v1alpha1.ConsortiumNamespace("")))
}

func (r *Reconciler) planNames() []string {
	var all v1alpha1.MemberPlanList
	if err := r.Cache.List(r.base, &all, client.InNamespace(r.Namespace)); err != nil {
		return nil
	}
	var names []string
	for _, plan := range all.Items {
		names = append(names, plan.Name)
	}
	return names
}

// Setup adds the two controllers to a manager.
func (r *Reconciler) Setup(mgr manager.Manager) error {
	plans, err := controller.New("plan", mgr, controller.Options{
		Reconciler: r, MaxConcurrentReconciles: r.Workers, RateLimiter: limiter(),
	})
	if err != nil {
		return fmt.Errorf("make the controller of plans: %w", err)
	}
	organization, err := controller.New("organization", mgr, controller.Options{
		Reconciler: &house{Reconciler: r}, RateLimiter: limiter(),
	})
	if err != nil {
		return fmt.Errorf("make the controller of the organization: %w", err)
	}
	// The agent's own status writes are no reason for another turn of a plan, but they are for the counts.
	specs := predicate.TypedFuncs[*v1alpha1.MemberPlan]{UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.MemberPlan]) bool {
		return e.ObjectOld.Generation != e.ObjectNew.Generation || e.ObjectNew.DeletionTimestamp != nil ||
			!maps.Equal(approvals(e.ObjectOld), approvals(e.ObjectNew)) ||
			e.ObjectOld.Annotations[v1alpha1.AnnotationRefused] != e.ObjectNew.Annotations[v1alpha1.AnnotationRefused]
	}}
	for _, w := range []struct {
		to  controller.Controller
		src source.Source
	}{
		{plans, r.plans},
		{plans, source.Kind(r.Cache, &v1alpha1.MemberPlan{}, &handler.TypedEnqueueRequestForObject[*v1alpha1.MemberPlan]{}, specs)},
		{organization, r.house},
		{organization, source.Kind(r.Cache, &v1alpha1.MemberPlan{}, toHouse[*v1alpha1.MemberPlan]())},
		{organization, source.Kind(r.Cache, &corev1.Secret{}, toHouse[*corev1.Secret]())},
		{organization, source.Kind(r.Cache, &corev1.ConfigMap{}, r.configMaps())},
	} {
		if err := w.to.Watch(w.src); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	return nil
}

func limiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](50*time.Millisecond, 30*time.Second)
}

// toHouse wakes the organization's controller, after a moment: what happens to many plans at once is one thing to it.
func toHouse[T client.Object]() handler.TypedEventHandler[T, reconcile.Request] {
	return onEvent(func(_ T, _ bool, q queue) { q.AddAfter(houseRequest, gather) })
}

// configMaps wakes the plans too when the lines or the pins have changed.
func (r *Reconciler) configMaps() handler.TypedEventHandler[*corev1.ConfigMap, reconcile.Request] {
	return onEvent(func(cm *corev1.ConfigMap, gone bool, q queue) {
		switch cm.Name {
		case r.LinesFrom.Name, PinsConfigMap:
			r.plans.ringAll()
		case r.RoutesTo.Name:
			r.Applier.Observe(cm, gone)
		default:
			return
		}
		q.AddAfter(houseRequest, gather)
	})
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// onEvent calls do for whatever happens to an object; gone says that it was deleted.
func onEvent[T client.Object](do func(obj T, gone bool, q queue)) handler.TypedEventHandler[T, reconcile.Request] {
	return handler.TypedFuncs[T, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[T], q queue) { do(e.Object, false, q) },
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[T], q queue) { do(e.ObjectNew, false, q) },
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[T], q queue) { do(e.Object, true, q) },
	}
}
