package apply

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
)

// conflictPause is how long a conflict leaves the cache to catch up.
const conflictPause = 20 * time.Millisecond

// Result ends a Reconcile. A conflict is no error: somebody was faster, and what they wrote is on its way.
func Result(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: conflictPause}, nil
	}
	return ctrl.Result{}, err
}
