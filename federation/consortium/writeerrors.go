package consortium

import (
	"context"
	"errors"
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

// PlanWriteErrors are the errors of plans, of the definition and of the namespace for statements, that the API server rejects. The
// Reconciler, which writes no status, records them; the Reporter reads them. They may be lost: a plan that cannot be written is retried.
type PlanWriteErrors struct {
	mu       sync.Mutex
	messages map[types.NamespacedName]map[string]string
	queue    workqueue.TypedRateLimitingInterface[ctrl.Request]
}

// start is a source.Func: it keeps the Reporter's queue, to which changes are added.
func (u *PlanWriteErrors) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.queue = queue
	return nil
}

// set records why the plans of a Consortium's Members could not be written, by Member; what concerns all is under noMember.
func (u *PlanWriteErrors) set(consortium types.NamespacedName, why map[string]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if maps.Equal(u.messages[consortium], why) {
		return
	}
	if u.messages == nil {
		u.messages = map[types.NamespacedName]map[string]string{}
	}
	if u.messages[consortium] = why; len(why) == 0 {
		delete(u.messages, consortium)
	}
	if u.queue != nil {
		u.queue.Add(ctrl.Request{NamespacedName: consortium})
	}
}

// of is why the plans of a Consortium's Members could not be written, by Member.
func (u *PlanWriteErrors) of(consortium types.NamespacedName) map[string]string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.messages[consortium]
}

// writeErrorMessage says why a plan cannot be written and how to fix it; empty for conflicts, which are retried.
func writeErrorMessage(member string, err error) string {
	switch {
	case err == nil || apierrors.IsConflict(err):
		return ""
	case apierrors.IsRequestEntityTooLargeError(err) || strings.Contains(err.Error(), "request is too large"):
		return "it is larger than the API server or its etcd accepts: delete channels or contracts that are not used any more, or declare them in another consortium"
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return fmt.Sprintf("a ResourceQuota of namespace %s is exceeded: raise it (%s)", v1alpha1.MemberNamespace(member), shorten(err))
	}
	return shorten(err)
}

// noMember is the key of an error that is no single Member's.
const noMember = ""

// accessErrorMessage says why the Members have no place for their statements; empty for conflicts, which are retried.
func accessErrorMessage(err error) string {
	switch {
	case err == nil || apierrors.IsConflict(err):
		return ""
	case errors.As(err, new(namespaceUnusable)):
		return err.Error()
	}
	return shorten(err)
}

// shorten puts an error on one line of at most 256 bytes.
func shorten(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > 256 {
		text = strings.ToValidUTF8(text[:256], "") + "…"
	}
	return text
}
