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
	// pause is the least time between two turns that are murmured for; the first one after it is not made to wait.
	pause time.Duration
	now   func() time.Time

	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	// due is when the last turn that was murmured for came, or is to come.
	due map[string]time.Time
}

// Start is called by the controller.
func (b *bell) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = queue
	return nil
}

// ring asks for a turn, after the delay.
func (b *bell) ring(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(name, b.delay)
}

// murmur asks for a turn that may wait for others to go with it.
func (b *bell) murmur(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(name, b.wait(name))
}

// add queues a name. The lock is held.
func (b *bell) add(name string, wait time.Duration) {
	if b.queue != nil {
		b.queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: b.namespace, Name: name}}, wait)
	}
}

// wait is how long a turn that is murmured for waits: not at all after a pause, else until it has passed. The lock is
// held.
func (b *bell) wait(name string) time.Duration {
	now := b.now()
	if !b.due[name].After(now) {
		due := b.due[name].Add(b.pause)
		if due.Before(now) {
			due = now
		}
		b.due[name] = due
	}
	return b.due[name].Sub(now)
}

// forget drops what is remembered of a name that is rung for no more.
func (b *bell) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.due, name)
}

func (b *bell) ringAll() {
	for _, name := range b.names() {
		b.ring(name)
	}
}
