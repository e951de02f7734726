package reconcile

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// trigger is a source.Source by which the package enqueues requests. Triggers before Start are dropped; the initial
// list covers them.
type trigger struct {
	namespace string
	// names lists what EnqueueAll enqueues.
	names func() []string
	// debounce is the delay of Enqueue, within which triggers are merged; 0 for none.
	debounce time.Duration
	// minInterval is the minimum time between two requests of EnqueueThrottled; the first one after it is not delayed.
	minInterval time.Duration
	now         func() time.Time

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	// scheduled is the time of the last throttled request by name, which may be in the future.
	scheduled map[string]time.Time
}

// Start is called by the controller.
func (b *trigger) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = queue
	return nil
}

// Enqueue enqueues a request after the debounce delay.
func (b *trigger) Enqueue(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enqueueAfter(name, b.debounce)
}

// EnqueueThrottled enqueues a request at most once in minInterval.
func (b *trigger) EnqueueThrottled(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enqueueAfter(name, b.throttleDelay(name))
}

// enqueueAfter queues a name. The lock is held.
func (b *trigger) enqueueAfter(name string, wait time.Duration) {
	if b.queue != nil {
		b.queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: b.namespace, Name: name}}, wait)
	}
}

// throttleDelay is the delay of a throttled request: 0 if minInterval has passed, else the rest of it. The lock is held.
func (b *trigger) throttleDelay(name string) time.Duration {
	now := b.now()
	if !b.scheduled[name].After(now) {
		next := b.scheduled[name].Add(b.minInterval)
		if next.Before(now) {
			next = now
		}
		b.scheduled[name] = next
	}
	return b.scheduled[name].Sub(now)
}

// forget drops the throttling state of a name.
func (b *trigger) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.scheduled, name)
}

func (b *trigger) EnqueueAll() {
	for _, name := range b.names() {
		b.Enqueue(name)
	}
}
