package lifecycle

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// bell is a source of a controller's work that anybody in the package may ring. What is rung before the controller
// listens is lost, which does no harm: it begins with everything there is.
type bell struct {
	namespace string
	// names lists everything that ringAll rings for.
	names func() []string
	// delay gathers what is rung shortly after each other; none if zero.
	delay time.Duration

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Start is called by the controller.
func (b *bell) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = queue
	return nil
}

func (b *bell) ring(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queue != nil {
		b.queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: b.namespace, Name: name}}, b.delay)
	}
}

func (b *bell) ringAll() {
	for _, name := range b.names() {
		b.ring(name)
	}
}
