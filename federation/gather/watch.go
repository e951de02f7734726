package gather

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

// Enqueue turns an object's event into requests for what it concerns.
func Enqueue(concern func(context.Context, client.Object) []types.NamespacedName) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		keys := concern(ctx, object)
		requests := make([]reconcile.Request, 0, len(keys))
		for _, key := range keys {
			requests = append(requests, reconcile.Request{NamespacedName: key})
		}
		return requests
	})
}

// pause is how long a status waits for what happens together. People read statuses, agents wait for plans: these go
// first, and what one change brings about is one status.
const pause = 200 * time.Millisecond

// Later is Enqueue for those that report.
func Later(concern func(context.Context, client.Object) []types.NamespacedName) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(ctx context.Context, object client.Object, q queue) {
		for _, key := range concern(ctx, object) {
			q.AddAfter(reconcile.Request{NamespacedName: key}, pause)
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

// Itself is the concern of an object that reports on itself.
func Itself(_ context.Context, object client.Object) []types.NamespacedName {
	return []types.NamespacedName{client.ObjectKeyFromObject(object)}
}

// SpecChanged passes what people change, and not the statuses that the host itself writes.
func SpecChanged() builder.Predicates {
	return builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
}

// RolloutChanged is SpecChanged, and passes what has been decided about a rollout of node images, which plans follow from.
func RolloutChanged() builder.Predicates {
	rollout := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Consortium)
		after, ok2 := e.ObjectNew.(*v1alpha1.Consortium)
		return ok && ok2 && !equality.Semantic.DeepEqual(before.Status.Rollout, after.Status.Rollout)
	}}
	return builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, rollout))
}

// MemberChanged passes what others need to know of a Member: it is new or gone, its root, whether it is registered and
// in contact, and whether its lines are up. Round-trip times and counts are not among that.
func MemberChanged() builder.Predicates {
	return builder.WithPredicates(predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Member)
		after, ok2 := e.ObjectNew.(*v1alpha1.Member)
		return !ok || !ok2 || !equality.Semantic.DeepEqual(essence(before), essence(after))
	}})
}

// PlanReported passes what Members report of their plans, and not the plans themselves, which the host writes.
func PlanReported() builder.Predicates {
	return builder.WithPredicates(predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.MemberPlan)
		after, ok2 := e.ObjectNew.(*v1alpha1.MemberPlan)
		return !ok || !ok2 || !equality.Semantic.DeepEqual(before.Status, after.Status)
	}})
}

type memberEssence struct {
	Deleting   bool
	Root       string
	Conditions map[string]metav1.ConditionStatus
	Lines      map[string][2]v1alpha1.LineState
}

func essence(m *v1alpha1.Member) memberEssence {
	e := memberEssence{
		Deleting: !m.DeletionTimestamp.IsZero(), Root: m.Status.Root,
		Conditions: map[string]metav1.ConditionStatus{}, Lines: map[string][2]v1alpha1.LineState{},
	}
	for _, condition := range m.Status.Conditions {
		e.Conditions[condition.Type] = condition.Status
	}
	for _, line := range m.Status.Lines {
		e.Lines[line.Name] = [2]v1alpha1.LineState{line.State, line.Reverse}
	}
	return e
}
