// Package apply writes objects and statuses server-side, one field manager a controller, and only when there is
// something to write: what the cache shows already is not sent again. Plans, with one writer and many writes, are
// updated as a whole. It also tells people by events what has changed. It must know nothing of what the objects mean.
package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Object applies an object unless the cache shows one that says all of it. What the existing object says beyond that is
// left alone, so it does not serve to take fields away.
func Object(ctx context.Context, c client.Client, owner string, desired client.Object) error {
	want, err := content(c, desired)
	if err != nil {
		return err
	}
	existing, ok := desired.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("%T is not an API object", desired)
	}
	err = c.Get(ctx, client.ObjectKeyFromObject(desired), existing)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err == nil {
		have, err := content(c, existing)
		if err != nil {
			return err
		}
		if covers(have, want) {
			return nil
		}
	}
	return send(ctx, c, owner, want)
}

// Exactly applies an object without asking the cache: the owner has done so.
func Exactly(ctx context.Context, c client.Client, owner string, desired client.Object) error {
	want, err := content(c, desired)
	if err != nil {
		return err
	}
	return send(ctx, c, owner, want)
}

// Whole writes an object that nobody else writes: it makes it, or with a resource version updates it as a whole, and
// fails with a conflict if it has moved on. The API server is told to keep no account of who owns which field, which is
// half of the cost of a write, and of no use where there is one owner (Kubernetes, "Clearing managedFields").
func Whole(ctx context.Context, c client.Client, owner string, object client.Object) error {
	if object.GetResourceVersion() != "" {
		object.SetManagedFields([]metav1.ManagedFieldsEntry{{}})
		return c.Update(ctx, object, client.FieldOwner(owner))
	}
	desired, ok := object.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("%T is not an API object", object)
	}
	err := c.Create(ctx, object, client.FieldOwner(owner))
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	// It is there already, but is not what its owner would have found: it says something else.
	return Exactly(ctx, c, owner, desired)
}

func send(ctx context.Context, c client.Client, owner string, fields map[string]any) error {
	config := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: fields})
	return c.Apply(ctx, config, client.FieldOwner(owner), client.ForceOwnership)
}

// Status applies a status as a whole. With a resource version it fails with a conflict if the object has moved on.
func Status(ctx context.Context, c client.Client, owner string, object client.Object, status any, resourceVersion string) error {
	gvk, err := apiutil.GVKForObject(object, c.Scheme())
	if err != nil {
		return err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return err
	}
	dropEmpty(fields)
	u := &unstructured.Unstructured{Object: map[string]any{"status": fields}}
	u.SetGroupVersionKind(gvk)
	u.SetName(object.GetName())
	u.SetNamespace(object.GetNamespace())
	u.SetUID(object.GetUID())
	u.SetResourceVersion(resourceVersion)
	return c.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(owner), client.ForceOwnership)
}

// dropEmpty takes away the fields that are structs with nothing in them, which encoding/json writes in spite of omitempty. Where
// such a struct said something before, applying an empty one makes null of it, which no schema takes.
func dropEmpty(fields map[string]any) {
	for name, value := range fields {
		if inner, ok := value.(map[string]any); ok {
			if dropEmpty(inner); len(inner) == 0 {
				delete(fields, name)
			}
		}
	}
}

// content is an object as JSON has it, without the parts that an owner does not set.
func content(c client.Client, object client.Object) (map[string]any, error) {
	gvk, err := apiutil.GVKForObject(object, c.Scheme())
	if err != nil {
		return nil, err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	u := unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(fields, "status")
	unstructured.RemoveNestedField(fields, "metadata", "creationTimestamp")
	return fields, nil
}

// covers is whether everything that is wanted is there. Lists have to be the same; maps may hold more.
func covers(have, want any) bool {
	wanted, ok := want.(map[string]any)
	if !ok {
		return equality.Semantic.DeepEqual(have, want)
	}
	existing, ok := have.(map[string]any)
	if !ok {
		return len(wanted) == 0
	}
	for key, value := range wanted {
		if !covers(existing[key], value) {
			return false
		}
	}
	return true
}
