package consortium

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
)

func TestWriteErrorMessage(t *testing.T) {
	resource := schema.GroupResource{Group: "federation.hanse.io", Resource: "memberplans"}
	for _, row := range []struct {
		why  string
		err  error
		says string
	}{
		{"written", nil, ""},
		{"a conflict, which is retried", apierrors.NewConflict(resource, "trade", errors.New("modified")), ""},
		{"larger than a request may be", apierrors.NewRequestEntityTooLargeError("limit is 3145728"), "larger than the API server"},
		{"larger than etcd accepts", apierrors.NewInternalError(errors.New("etcdserver: request is too large")), "delete channels or contracts"},
		{"a quota", apierrors.NewForbidden(resource, "trade", errors.New("exceeded quota: few")), "ResourceQuota of namespace hanse-member-org1"},
		{"anything else", errors.New("admission webhook says no"), "admission webhook says no"},
		{"a very long message", errors.New(strings.Repeat("word ", 500)), "…"},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := writeErrorMessage("org1", row.err)
			if (got == "") != (row.says == "") || !strings.Contains(got, row.says) || len(got) > 512 {
				t.Errorf("says %q", got)
			}
		})
	}
}

func TestAccessErrorMessage(t *testing.T) {
	resource := schema.GroupResource{Resource: "namespaces"}
	foreign := namespaceUnusable("there is a namespace already: " + strings.Repeat("delete it ", 40))
	for _, row := range []struct {
		why string
		err error
		// says is the whole message.
		says string
	}{
		{"all is as it should be", nil, ""},
		{"a conflict, which is retried", apierrors.NewConflict(resource, "x", errors.New("modified")), ""},
		{"a namespace of others: its remedy is not cut off", fmt.Errorf("wrapped: %w", foreign), "wrapped: " + string(foreign)},
		{"anything else, on one line", errors.New("a\nb"), "a b"},
	} {
		if got := accessErrorMessage(row.err); got != row.says {
			t.Errorf("%s: %q", row.why, got)
		}
	}
}

// TestPlanWriteErrorsEnqueue checks that every change enqueues the Consortium, and nothing else does.
func TestPlanWriteErrorsEnqueue(t *testing.T) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	defer queue.ShutDown()
	var u PlanWriteErrors
	if err := u.start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "default", Name: "trade"}
	for _, row := range []struct {
		why      string
		set      map[string]string
		enqueued bool
	}{
		{"no error", nil, false},
		{"a plan is rejected", map[string]string{"org1": "too large"}, true},
		{"it is rejected again", map[string]string{"org1": "too large"}, false},
		{"it is written", map[string]string{}, true},
	} {
		u.set(key, row.set)
		if enqueued := queue.Len() > 0; enqueued != row.enqueued {
			t.Errorf("%s: enqueued %v", row.why, enqueued)
		}
		if queue.Len() > 0 {
			item, _ := queue.Get()
			queue.Done(item)
		}
		if len(u.of(key)) != len(row.set) {
			t.Errorf("%s: %v", row.why, u.of(key))
		}
	}
}
