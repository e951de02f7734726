package snapshot

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Enqueue enqueues the keys that mapFunc returns for an event's object.
func Enqueue(mapFunc func(context.Context, client.Object) []types.NamespacedName) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		keys := mapFunc(ctx, object)
		requests := make([]reconcile.Request, 0, len(keys))
		for _, key := range keys {
			requests = append(requests, reconcile.Request{NamespacedName: key})
		}
		return requests
	})
}

// debounce is the delay before a status is computed. Plans, which agents wait for, go first, and several events of one
// change result in one status update.
const debounce = 200 * time.Millisecond

// EnqueueDebounced is Enqueue after the debounce delay, for controllers that write statuses only.
func EnqueueDebounced(mapFunc func(context.Context, client.Object) []types.NamespacedName) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(ctx context.Context, object client.Object, q queue) {
		for _, key := range mapFunc(ctx, object) {
			q.AddAfter(reconcile.Request{NamespacedName: key}, debounce)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { add(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			add(ctx, e.ObjectOld, q)
			add(ctx, e.ObjectNew, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { add(ctx, e.Object, q) },
	}
}

// EnqueueSelf maps an object to its own key.
func EnqueueSelf(_ context.Context, object client.Object) []types.NamespacedName {
	return []types.NamespacedName{client.ObjectKeyFromObject(object)}
}

// SpecChanged passes changes of specs and annotations, and not of the statuses that the host itself writes.
func SpecChanged() builder.Predicates { return builder.WithPredicates(specChanged) }

var specChanged = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})

// RolloutChanged is SpecChanged, and passes changes of status.rollout too, from which plans are computed.
func RolloutChanged() builder.Predicates { return builder.WithPredicates(rolloutChanged) }

var rolloutChanged = predicate.Or(specChanged, predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1alpha1.Consortium)
	after, ok2 := e.ObjectNew.(*v1alpha1.Consortium)
	return ok && ok2 && !equality.Semantic.DeepEqual(before.Status.Rollout, after.Status.Rollout)
}})

// MemberChanged passes changes of a Member that plans, statuses and the access to statements depend on: creation and
// deletion, its registered key, its root and its conditions; not its lines, of which its plans report what concerns a
// Consortium, nor counts.
func MemberChanged() builder.Predicates { return builder.WithPredicates(memberChanged) }

var memberChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1alpha1.Member)
	after, ok2 := e.ObjectNew.(*v1alpha1.Member)
	return !ok || !ok2 || !equality.Semantic.DeepEqual(relevantState(before), relevantState(after))
}}

type memberState struct {
	Deleting   bool
	Root       string
	Key        string
	Conditions map[string]metav1.ConditionStatus
}

func relevantState(m *v1alpha1.Member) memberState {
	e := memberState{
		Deleting: !m.DeletionTimestamp.IsZero(), Root: m.Status.Root,
		Conditions: map[string]metav1.ConditionStatus{},
	}
	if m.Status.Registration != nil {
		e.Key = m.Status.Registration.KeyFingerprint
	}
	for _, condition := range m.Status.Conditions {
		e.Conditions[condition.Type] = condition.Status
	}
	return e
}
