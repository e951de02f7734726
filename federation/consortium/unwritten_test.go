package consortium

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
)

func TestWhyUnwritten(t *testing.T) {
	resource := schema.GroupResource{Group: "federation.hanse.io", Resource: "memberplans"}
	for _, row := range []struct {
		why  string
		err  error
		says string
	}{
		{"written", nil, ""},
		{"overtaken: the next turn writes it", apierrors.NewConflict(resource, "trade", errors.New("modified")), ""},
		{"larger than a request may be", apierrors.NewRequestEntityTooLargeError("limit is 3145728"), "larger than the API server"},
		{"larger than etcd takes", apierrors.NewInternalError(errors.New("etcdserver: request is too large")), "delete channels or contracts"},
		{"a quota", apierrors.NewForbidden(resource, "trade", errors.New("exceeded quota: few")), "ResourceQuota of namespace hanse-member-org1"},
		{"anything else", errors.New("admission webhook says no"), "admission webhook says no"},
		{"somebody's novel", errors.New(strings.Repeat("word ", 500)), "…"},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := whyUnwritten("org1", row.err)
			if (got == "") != (row.says == "") || !strings.Contains(got, row.says) || len(got) > 512 {
				t.Errorf("says %q", got)
			}
		})
	}
}

// TestUnwrittenIsTold shows that the Reporter comes for every change, and for nothing else.
func TestUnwrittenIsTold(t *testing.T) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	defer queue.ShutDown()
	var u Unwritten
	if err := u.start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "default", Name: "trade"}
	for _, row := range []struct {
		why  string
		set  map[string]string
		told bool
	}{
		{"all is well", nil, false},
		{"a plan is not taken", map[string]string{"org1": "too large"}, true},
		{"it still is not", map[string]string{"org1": "too large"}, false},
		{"it is at last", map[string]string{}, true},
	} {
		u.set(key, row.set)
		if told := queue.Len() > 0; told != row.told {
			t.Errorf("%s: told %v", row.why, told)
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
