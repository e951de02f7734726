package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// ConditionedStatus is a status that has conditions.
type ConditionedStatus interface {
	GetConditions() []metav1.Condition
}

// Report ends a Reconcile: it applies a status if it has changed, and records events for transitions of Accepted and Ready.
func Report[S ConditionedStatus](ctx context.Context, c client.Client, recorder events.EventRecorder, owner string, object client.Object, before, after S) (ctrl.Result, error) {
	return report(ctx, c, recorder, owner, object, before, after, "")
}

// ReportUnchanged is Report, but fails with a conflict, for which it asks to be run again, if the object has changed since
// it was read.
func ReportUnchanged[S ConditionedStatus](ctx context.Context, c client.Client, recorder events.EventRecorder, owner string, object client.Object, before, after S) (ctrl.Result, error) {
	return report(ctx, c, recorder, owner, object, before, after, object.GetResourceVersion())
}

func report[S ConditionedStatus](ctx context.Context, c client.Client, recorder events.EventRecorder, owner string, object client.Object, before, after S, resourceVersion string) (ctrl.Result, error) {
	if equality.Semantic.DeepEqual(before, after) {
		return ctrl.Result{}, nil
	}
	if err := Status(ctx, c, owner, object, &after, resourceVersion); err != nil {
		return Result(client.IgnoreNotFound(err))
	}
	Transitions(recorder, object, before.GetConditions(), after.GetConditions(), v1alpha1.ConditionAccepted, v1alpha1.ConditionReady)
	return ctrl.Result{}, nil
}
