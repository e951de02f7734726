// Package watcher keeps objects of a cluster at hand by watches, so that reading them costs no requests. It must not know
// what they are read for.
package watcher

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Source is what one watch is about: the objects of a kind, in one namespace or in all, or the one that is named.
type Source struct {
	Kind            schema.GroupVersionKind
	Namespace, Name string
	// Action says for errors what is done with it: "read the lines".
	Action string
}

// Cache holds what a set of watches is about. It is a client.Reader of that, and of nothing else.
type Cache struct {
	client  client.WithWatch
	changed chan struct{}

	mu      sync.Mutex
	watches map[Source]*watched
}

var _ client.Reader = (*Cache)(nil)

// New is a Cache without watches.
func New(c client.WithWatch) *Cache {
	return &Cache{client: c, changed: make(chan struct{}, 1), watches: map[Source]*watched{}}
}

// Changed yields after something has changed: an object, or whether a watch goes on. Many changes may make one signal.
func (c *Cache) Changed() <-chan struct{} { return c.changed }

func (c *Cache) signal() {
	select {
	case c.changed <- struct{}{}:
	default: // One that nobody has taken yet tells it all.
	}
}

// Follow watches the sources until the context ends, and stops the watches of others.
func (c *Cache) Follow(ctx context.Context, sources []Source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for source, w := range c.watches {
		if !slices.Contains(sources, source) {
			w.stop()
			delete(c.watches, source)
		}
	}
	for _, source := range sources {
		if c.watches[source] == nil {
			c.watches[source] = c.start(ctx, source)
		}
	}
}

// Complete is whether everything that is followed has been read, and is being watched or was.
func (c *Cache) Complete() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.watches {
		if !w.synced() {
			return false
		}
	}
	return true
}

// Failure is a watch that does not go on, and why. It is tried again by itself.
type Failure struct {
	Source
	Err error
	// Synced is whether it went on before.
	Synced bool
}

// Failures are the watches that do not go on, in a stable order.
func (c *Cache) Failures() []Failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	var failures []Failure
	for source, w := range c.watches {
		if err := w.failure(); err != nil {
			failures = append(failures, Failure{Source: source, Err: err, Synced: w.synced()})
		}
	}
	slices.SortFunc(failures, func(a, b Failure) int { return compare(a.Source, b.Source) })
	return failures
}

// Get reads an object that is followed by its name, or as one of its namespace's.
func (c *Cache) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	kind, err := apiutil.GVKForObject(obj, c.client.Scheme())
	if err != nil {
		return err
	}
	for _, found := range c.objects(kind, key.Namespace, key.Name) {
		reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(found.DeepCopyObject()).Elem())
		return nil
	}
	resource := schema.GroupResource{Group: kind.Group, Resource: kind.Kind}
	return apierrors.NewNotFound(resource, key.Name)
}

// List reads the objects of a kind that are followed.
func (c *Cache) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	kind, err := apiutil.GVKForObject(list, c.client.Scheme())
	if err != nil {
		return err
	}
	kind.Kind = kind.Kind[:len(kind.Kind)-len("List")]
	options := (&client.ListOptions{}).ApplyOptions(opts)
	if options.LabelSelector != nil || options.FieldSelector != nil {
		return fmt.Errorf("%s: what is watched is listed by namespace alone", kind.Kind)
	}
	var items []runtime.Object
	for _, found := range c.objects(kind, options.Namespace, "") {
		items = append(items, found.DeepCopyObject())
	}
	return meta.SetList(list, items)
}

// objects are those of a kind that are at hand, by their keys; empty namespace and name mean any.
func (c *Cache) objects(kind schema.GroupVersionKind, namespace, name string) []client.Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	byKey := map[string]client.Object{}
	for source, w := range c.watches {
		if source.Kind != kind {
			continue
		}
		for _, item := range w.store.List() {
			obj, ok := item.(client.Object)
			if ok && (namespace == "" || obj.GetNamespace() == namespace) && (name == "" || obj.GetName() == name) {
				byKey[obj.GetNamespace()+"/"+obj.GetName()] = obj
			}
		}
	}
	var found []client.Object
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		found = append(found, byKey[key])
	}
	return found
}
