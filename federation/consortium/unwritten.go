package consortium

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Unwritten are the plans that the API server does not take. The Reconciler, which writes no status, notes them; the
// Reporter tells. It is safe to lose: a plan that cannot be written is tried again.
type Unwritten struct {
	mu    sync.Mutex
	why   map[types.NamespacedName]map[string]string
	queue workqueue.TypedRateLimitingInterface[ctrl.Request]
}

// start hands in the queue of the Reporter, whose source of work this is.
func (u *Unwritten) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.queue = queue
	return nil
}

// set notes why which Members' plans of a Consortium could not be written.
func (u *Unwritten) set(consortium types.NamespacedName, why map[string]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if maps.Equal(u.why[consortium], why) {
		return
	}
	if u.why == nil {
		u.why = map[types.NamespacedName]map[string]string{}
	}
	if u.why[consortium] = why; len(why) == 0 {
		delete(u.why, consortium)
	}
	if u.queue != nil {
		u.queue.Add(ctrl.Request{NamespacedName: consortium})
	}
}

// of is why which Members' plans of a Consortium could not be written.
func (u *Unwritten) of(consortium types.NamespacedName) map[string]string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.why[consortium]
}

// whyUnwritten says what keeps a plan from being written, and how to mend it; empty for what passes by itself.
func whyUnwritten(member string, err error) string {
	switch {
	case err == nil || apierrors.IsConflict(err):
		return ""
	case apierrors.IsRequestEntityTooLargeError(err) || strings.Contains(err.Error(), "request is too large"):
		return "it is larger than the API server or its etcd takes: delete channels or contracts that are not used any more, or declare them in another consortium"
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return fmt.Sprintf("a ResourceQuota of namespace %s leaves no room for it: raise it (%s)", v1alpha1.MemberNamespace(member), shortened(err))
	}
	return shortened(err)
}

// shortened keeps what an API server says to a length that can be read.
func shortened(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > 256 {
		text = strings.ToValidUTF8(text[:256], "") + "…"
	}
	return text
}
