package apply

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
)

// conflictRequeue is how long to wait after a conflict, so that the cache can catch up.
const conflictRequeue = 20 * time.Millisecond

// Result ends a Reconcile. A conflict is not an error: the cache does not have the latest version yet, so it requeues.
func Result(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: conflictRequeue}, nil
	}
	return ctrl.Result{}, err
}
