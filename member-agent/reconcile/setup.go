package reconcile

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
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/member-agent/identity"
)

// organizationKey is the only key of the organization's controller.
const organizationKey = "organization"

// debounce is how long events for the organization's controller are merged.
const debounce = 100 * time.Millisecond

// planMinInterval is the minimum time between two reconciliations of a plan caused by objects in the cluster: starting a
// consortium changes some hundred pods and Secrets, and a reconciliation for each would take CPU from what is starting.
const planMinInterval = 200 * time.Millisecond

var organizationRequest = reconcile.Request{NamespacedName: types.NamespacedName{Name: organizationKey}}

// New returns a Reconciler. Its caches and the work on ledgers end with base.
func New(base context.Context, o Options) *Reconciler {
	r := &Reconciler{Options: o, base: base}
	r.problems = newProblemGauge(o.Metrics)
	r.statusWrites.at = map[string]time.Time{}
	r.organization.Store(&organization{reason: v1alpha1.ReasonProgressing, message: "the organization's own certificates have not been read yet"})
	r.planTrigger = &trigger{namespace: o.Namespace, names: r.planNames, minInterval: planMinInterval, now: o.Now, scheduled: map[string]time.Time{}}
	r.organizationTrigger = &trigger{names: func() []string { return []string{organizationKey} }, debounce: debounce}
	r.ledgers = newLedgerController(o.Ledger, r.planTrigger.Enqueue)
	r.caches = &namespaceCaches{config: o.Config, own: o.Own, onChange: r.objectChanged, byNamespace: map[string]*namespaceCache{}}
	return r
}

// Changed is called by discovery when its view of a consortium has changed.
func (r *Reconciler) Changed(consortium string) {
	r.planTrigger.Enqueue(consortium)
	r.organizationTrigger.EnqueueAll()
}

func (r *Reconciler) objectChanged(namespace string, obj client.Object, gone bool) {
	r.Applier.Observe(obj, gone)
	if identity.IsProgress(obj, gone) {
		return // the Secrets tell what has been issued
	}
	r.planTrigger.EnqueueThrottled(strings.TrimPrefix(namespace, v1alpha1.ConsortiumNamespace("")))
}

func (r *Reconciler) planNames() []string {
	var all v1alpha1.MemberPlanList
	if err := r.Cache.List(r.base, &all, client.InNamespace(r.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var names []string
	for _, plan := range all.Items {
		names = append(names, plan.Name)
	}
	return names
}

// Setup registers the metrics, and adds the three controllers to a manager.
func (r *Reconciler) Setup(mgr manager.Manager) error {
	if err := r.registerMetrics(); err != nil {
		return err
	}
	plans, err := controller.New("plan", mgr, controller.Options{
		Reconciler: r, MaxConcurrentReconciles: r.Workers, RateLimiter: newRateLimiter(),
	})
	if err != nil {
		return fmt.Errorf("make the controller of plans: %w", err)
	}
	organization, err := controller.New("organization", mgr, controller.Options{
		Reconciler: &organizationReconciler{Reconciler: r}, RateLimiter: newRateLimiter(),
	})
	if err != nil {
		return fmt.Errorf("make the controller of the organization: %w", err)
	}
	if err := r.ledgers.setup(mgr); err != nil {
		return err
	}
	// The agent's own status updates do not requeue the plan, but do requeue the organization, which counts the nodes.
	specs := predicate.TypedFuncs[*v1alpha1.MemberPlan]{UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.MemberPlan]) bool {
		return e.ObjectOld.Generation != e.ObjectNew.Generation || e.ObjectNew.DeletionTimestamp != nil ||
			!maps.Equal(approvals(e.ObjectOld), approvals(e.ObjectNew)) ||
			e.ObjectOld.Annotations[v1alpha1.AnnotationRefused] != e.ObjectNew.Annotations[v1alpha1.AnnotationRefused]
	}}
	for _, w := range []struct {
		to  controller.Controller
		src source.Source
	}{
		{plans, r.planTrigger},
		{plans, source.Kind(r.Cache, &v1alpha1.MemberPlan{}, &handler.TypedEnqueueRequestForObject[*v1alpha1.MemberPlan]{}, specs)},
		{organization, r.organizationTrigger},
		{organization, source.Kind(r.Cache, &v1alpha1.MemberPlan{}, enqueueOrganization[*v1alpha1.MemberPlan]())},
		{organization, source.Kind(r.Cache, &corev1.Secret{}, enqueueOrganization[*corev1.Secret]())},
		{organization, source.Kind(r.Cache, &corev1.ConfigMap{}, r.configMaps())},
	} {
		if err := w.to.Watch(w.src); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	return nil
}

func newRateLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](50*time.Millisecond, 30*time.Second)
}

// enqueueOrganization requeues the organization after the debounce delay: changes of many plans are one request.
func enqueueOrganization[T client.Object]() handler.TypedEventHandler[T, reconcile.Request] {
	return onEvent(func(_ T, _ bool, q queue) { q.AddAfter(organizationRequest, debounce) })
}

// configMaps requeues the plans too when a line's state or the pins have changed.
func (r *Reconciler) configMaps() handler.TypedEventHandler[*corev1.ConfigMap, reconcile.Request] {
	return onEvent(func(cm *corev1.ConfigMap, gone bool, q queue) {
		switch cm.Name {
		case r.LinesFrom:
			var merged routing.MergedReports
			var err error
			if !gone {
				merged, err = routing.MergeReports(cm.Data, r.Now())
			}
			if changed := r.observeLines(merged.Lines); !changed && err == nil {
				return
			}
		case PinsConfigMap:
			r.planTrigger.EnqueueAll()
		case r.RoutesTo.Name:
			r.Applier.Observe(cm, gone)
		default:
			return
		}
		q.AddAfter(organizationRequest, debounce)
	})
}

// observeLines takes over the lines as they are merged now, requeues the plans if a state has changed, and says whether
// anything has.
func (r *Reconciler) observeLines(lines []v1alpha1.LineReport) bool {
	changed, states := r.lineWatch.update(lines)
	if states {
		r.planTrigger.EnqueueAll()
	}
	return changed
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// onEvent calls do for every event of an object; gone says that it was deleted.
func onEvent[T client.Object](do func(obj T, gone bool, q queue)) handler.TypedEventHandler[T, reconcile.Request] {
	return handler.TypedFuncs[T, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[T], q queue) { do(e.Object, false, q) },
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[T], q queue) { do(e.ObjectNew, false, q) },
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[T], q queue) { do(e.Object, true, q) },
	}
}
