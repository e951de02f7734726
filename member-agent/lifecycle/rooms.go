package lifecycle

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// rooms holds a cache for each consortium's namespace. The agent has rights in these namespaces alone, so there can be
// no cache of the whole cluster; and a namespace's cache ends with its consortium.
type rooms struct {
	config *rest.Config
	own    client.Client
	// seen is called for every change of an object, and for every one that there is at the start.
	seen func(namespace string, obj client.Object, gone bool)

	mu   sync.Mutex
	open map[string]*room
}

type room struct {
	cache  cache.Cache
	synced chan struct{}
	cancel context.CancelFunc
}

// watched are the kinds that say how a plan's workloads do, or that somebody might take away.
func watched() []client.Object {
	return []client.Object{
		&appsv1.StatefulSet{}, &appsv1.Deployment{}, &corev1.Pod{}, &corev1.PersistentVolumeClaim{},
		&corev1.Secret{}, &corev1.Service{}, &corev1.ConfigMap{},
	}
}

// reader is the cache of a namespace, nil until it is open and filled; opening says that it is open at least.
func (r *rooms) reader(namespace string) (reader client.Reader, opening bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	it, ok := r.open[namespace]
	if !ok {
		return nil, false
	}
	select {
	case <-it.synced:
		return it.cache, true
	default:
		return nil, true
	}
}

// enter opens the cache of a namespace, which lives by parent, and calls filled once it holds everything.
func (r *rooms) enter(parent context.Context, namespace string, filled func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.open[namespace]; ok {
		return nil
	}
	it, err := r.make(parent, namespace, filled)
	if err != nil {
		return err
	}
	r.open[namespace] = it
	return nil
}

func (r *rooms) make(parent context.Context, namespace string, filled func()) (*room, error) {
	c, err := cache.New(r.config, cache.Options{
		Scheme:               r.own.Scheme(),
		Mapper:               r.own.RESTMapper(),
		DefaultNamespaces:    map[string]cache.Config{namespace: {}},
		DefaultLabelSelector: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}),
		// Secrets of the organization's own hold what contracts take from their environment.
		ByObject:         map[client.Object]cache.ByObject{&corev1.Secret{}: {Label: labels.Everything()}},
		DefaultTransform: cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, fmt.Errorf("make a cache of the namespace %s: %w", namespace, err)
	}
	ctx, cancel := context.WithCancel(parent)
	it := &room{cache: c, synced: make(chan struct{}), cancel: cancel}
	for _, obj := range watched() {
		informer, err := c.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err == nil {
			_, err = informer.AddEventHandler(r.handler(namespace))
		}
		if err != nil {
			cancel()
			return nil, fmt.Errorf("watch %T in %s: %w", obj, namespace, err)
		}
	}
	go func() { _ = c.Start(ctx) }()
	go func() {
		if c.WaitForCacheSync(ctx) {
			close(it.synced)
			filled()
		}
	}()
	return it, nil
}

func (r *rooms) handler(namespace string) toolscache.ResourceEventHandler {
	tell := func(obj any, gone bool) {
		if last, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		if o, ok := obj.(client.Object); ok {
			r.seen(namespace, o, gone)
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { tell(obj, false) },
		UpdateFunc: func(_, obj any) { tell(obj, false) },
		DeleteFunc: func(obj any) { tell(obj, true) },
	}
}

// close ends the cache of a namespace.
func (r *rooms) close(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it, ok := r.open[namespace]; ok {
		it.cancel()
		delete(r.open, namespace)
	}
}

// granted waits until the agent's rights in a namespace have come into force, which takes the API server a moment.
func granted(ctx context.Context, own client.Client, namespace string) error {
	var err error
	for wait := 20 * time.Millisecond; wait < 2*time.Second; wait *= 2 {
		if err = own.List(ctx, &corev1.SecretList{}, client.InNamespace(namespace), client.Limit(1)); err == nil {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return fmt.Errorf("the agent has no rights in the namespace %s yet: %w", namespace, err)
}
