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

// Said is a status with its conditions.
type Said[S any] struct {
	Status     S
	Conditions []metav1.Condition
}

// Report ends a Reconcile: it applies a status if that says anything new, and tells by events if the object has become
// accepted or ready, or is so no more.
func Report[S any](ctx context.Context, c client.Client, recorder events.EventRecorder, owner string, object client.Object, before, after Said[S]) (ctrl.Result, error) {
	if equality.Semantic.DeepEqual(before.Status, after.Status) {
		return ctrl.Result{}, nil
	}
	if err := Status(ctx, c, owner, object, &after.Status, ""); err != nil {
		return Result(client.IgnoreNotFound(err))
	}
	Transitions(recorder, object, before.Conditions, after.Conditions, v1alpha1.ConditionAccepted, v1alpha1.ConditionReady)
	return ctrl.Result{}, nil
}
