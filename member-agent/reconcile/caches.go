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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/namespacecache"
)

// namespaceCaches holds a cache for each consortium's namespace. The agent has rights in these namespaces alone, so there can be
// no cache of the whole cluster; and a namespace's cache ends with its consortium.
type namespaceCaches struct {
	config *rest.Config
	own    client.Client
	// onChange is called for every change of an object, and for each existing one at the start.
	onChange func(namespace string, obj client.Object, gone bool)

	mu          sync.Mutex
	watcher     *namespacecache.Watcher
	byNamespace map[string]*namespaceCache
}

type namespaceCache struct {
	cache  *namespacecache.Cache
	synced chan struct{}
	cancel context.CancelFunc
}

// watchedKinds are the kinds that show the state of a plan's workloads, or that somebody might delete.
func watchedKinds() []namespacecache.Kind {
	managed := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	// Contracts take environment variables from Secrets of the organization, which have other labels.
	kinds := []namespacecache.Kind{{Object: &corev1.Secret{}, Keep: withoutForeignValues}, identity.Watched(managed)}
	for _, object := range []client.Object{
		&appsv1.StatefulSet{}, &appsv1.Deployment{}, &corev1.Pod{}, &corev1.PersistentVolumeClaim{}, &corev1.Service{}, &corev1.ConfigMap{},
	} {
		kinds = append(kinds, namespacecache.Kind{Object: object, Labels: managed})
	}
	return kinds
}

// withoutForeignValues drops the values of a Secret that is not Hanse's: only its labels, keys and version are used.
func withoutForeignValues(object client.Object) {
	secret, ok := object.(*corev1.Secret)
	if !ok || secret.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy {
		return
	}
	for key := range secret.Data {
		secret.Data[key] = []byte{}
	}
	secret.Annotations = nil // kubectl apply keeps the values in one
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

// Open opens the cache of a namespace, which lives by parent, and calls onSynced once it holds everything.
func (r *namespaceCaches) Open(parent context.Context, namespace string, onSynced func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byNamespace[namespace]; ok {
		return nil
	}
	if err := r.connect(); err != nil {
		return fmt.Errorf("watch the namespace %s: %w", namespace, err)
	}
	ctx, cancel := context.WithCancel(parent)
	it := &namespaceCache{synced: make(chan struct{}), cancel: cancel}
	it.cache = r.watcher.Watch(ctx, namespace,
		func(obj client.Object, gone bool) { r.onChange(namespace, obj, gone) },
		func() {
			close(it.synced)
			onSynced()
		})
	r.byNamespace[namespace] = it
	return nil
}

// connect makes the clients that all namespaces share.
func (r *namespaceCaches) connect() error {
	if r.watcher != nil {
		return nil
	}
	http, err := rest.HTTPClientFor(r.config)
	if err != nil {
		return err
	}
	r.watcher, err = namespacecache.NewWatcher(r.config, http, r.own.Scheme(), r.own.RESTMapper(), watchedKinds())
	return err
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
