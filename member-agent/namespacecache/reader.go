package namespacecache

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Get implements client.Reader. The object is the caller's own.
func (c *Cache) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	gvk, err := apiutil.GVKForObject(into, c.scheme)
	if err != nil {
		return err
	}
	s, err := c.storeOf(gvk, key.Namespace)
	if err != nil {
		return err
	}
	found := s.get(key.Name)
	if found == nil {
		return apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}, key.Name)
	}
	from, to := reflect.ValueOf(found.DeepCopyObject()), reflect.ValueOf(into)
	if from.Type() != to.Type() {
		return fmt.Errorf("the cache has %s as %s, not as %s", gvk.Kind, from.Type(), to.Type())
	}
	to.Elem().Set(from.Elem())
	return nil
}

// List implements client.Reader: by labels, and not by fields. The objects are sorted by name; they are the caller's own.
func (c *Cache) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	gvk, err := apiutil.GVKForObject(into, c.scheme)
	if err != nil {
		return err
	}
	gvk.Kind = gvk.Kind[:len(gvk.Kind)-len("List")]
	o := (&client.ListOptions{}).ApplyOptions(options)
	if o.FieldSelector != nil {
		return fmt.Errorf("the cache of namespace %s has no index by fields", c.namespace)
	}
	s, err := c.storeOf(gvk, o.Namespace)
	if err != nil {
		return err
	}
	found := s.list(o.LabelSelector)
	slices.SortFunc(found, func(a, b client.Object) int { return cmp.Compare(a.GetName(), b.GetName()) })
	copies := make([]runtime.Object, len(found))
	for i, object := range found {
		copies[i] = object.DeepCopyObject()
	}
	return meta.SetList(into, copies)
}

// storeOf is the store of a kind. Whoever asks for another kind or namespace is told so: an answer that there is nothing
// would be wrong.
func (c *Cache) storeOf(gvk schema.GroupVersionKind, namespace string) (*store, error) {
	s := c.stores[gvk]
	switch {
	case s == nil:
		return nil, fmt.Errorf("the cache of namespace %s does not have objects of kind %s", c.namespace, gvk.Kind)
	case namespace != c.namespace:
		return nil, fmt.Errorf("the cache is of namespace %s, not of %q", c.namespace, namespace)
	}
	return s, nil
}
