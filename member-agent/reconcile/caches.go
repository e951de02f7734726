package reconcile

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

// namespaceCaches holds a cache for each consortium's namespace. The agent has rights in these namespaces alone, so there can be
// no cache of the whole cluster; and a namespace's cache ends with its consortium.
type namespaceCaches struct {
	config *rest.Config
	own    client.Client
	// onChange is called for every change of an object, and for each existing one at the start.
	onChange func(namespace string, obj client.Object, gone bool)

	mu          sync.Mutex
	byNamespace map[string]*namespaceCache
}

type namespaceCache struct {
	cache  cache.Cache
	synced chan struct{}
	cancel context.CancelFunc
}

// watchedKinds are the kinds that show the state of a plan's workloads, or that somebody might delete.
func watchedKinds() []client.Object {
	return []client.Object{
		&appsv1.StatefulSet{}, &appsv1.Deployment{}, &corev1.Pod{}, &corev1.PersistentVolumeClaim{},
		&corev1.Secret{}, &corev1.Service{}, &corev1.ConfigMap{},
	}
}

// reader is the cache of a namespace, nil until it has synced; opening is true once it is open.
func (r *namespaceCaches) reader(namespace string) (reader client.Reader, opening bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	it, ok := r.byNamespace[namespace]
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

// Open opens the cache of a namespace, which lives by parent, and calls filled once it holds everything.
func (r *namespaceCaches) Open(parent context.Context, namespace string, onSynced func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byNamespace[namespace]; ok {
		return nil
	}
	it, err := r.newCache(parent, namespace, onSynced)
	if err != nil {
		return err
	}
	r.byNamespace[namespace] = it
	return nil
}

func (r *namespaceCaches) newCache(parent context.Context, namespace string, onSynced func()) (*namespaceCache, error) {
	c, err := cache.New(r.config, cache.Options{
		Scheme:               r.own.Scheme(),
		Mapper:               r.own.RESTMapper(),
		DefaultNamespaces:    map[string]cache.Config{namespace: {}},
		DefaultLabelSelector: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}),
		// Contracts take environment variables from Secrets of the organization, which have other labels.
		ByObject:         map[client.Object]cache.ByObject{&corev1.Secret{}: {Label: labels.Everything()}},
		DefaultTransform: cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, fmt.Errorf("make a cache of the namespace %s: %w", namespace, err)
	}
	ctx, cancel := context.WithCancel(parent)
	it := &namespaceCache{cache: c, synced: make(chan struct{}), cancel: cancel}
	for _, obj := range watchedKinds() {
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
			onSynced()
		}
	}()
	return it, nil
}

func (r *namespaceCaches) handler(namespace string) toolscache.ResourceEventHandler {
	notify := func(obj any, gone bool) {
		if last, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		if o, ok := obj.(client.Object); ok {
			r.onChange(namespace, o, gone)
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { notify(obj, false) },
		UpdateFunc: func(_, obj any) { notify(obj, false) },
		DeleteFunc: func(obj any) { notify(obj, true) },
	}
}

// Close stops the cache of a namespace.
func (r *namespaceCaches) Close(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it, ok := r.byNamespace[namespace]; ok {
		it.cancel()
		delete(r.byNamespace, namespace)
	}
}

// waitForAccess waits, for some seconds at most, until the API server grants the agent its rights in a new namespace.
func waitForAccess(ctx context.Context, own client.Client, namespace string) error {
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
