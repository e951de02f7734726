// Package apply writes objects and statuses by server-side apply, with one field manager per controller, and skips writes
// that would change nothing. Plans, which have one writer and many writes, are updated as a whole. It also records events
// for condition transitions. It must know nothing of what the objects mean.
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

// ApplyIfChanged applies an object unless the cached one has all of its fields already. Further fields of the existing
// object are left alone, so it cannot be used to remove fields.
func ApplyIfChanged(ctx context.Context, c client.Client, owner string, desired client.Object) error {
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
	return forceApply(ctx, c, owner, want)
}

// ForceApply applies an object without reading the cache first, and takes over fields from other managers.
func ForceApply(ctx context.Context, c client.Client, owner string, desired client.Object) error {
	want, err := content(c, desired)
	if err != nil {
		return err
	}
	return forceApply(ctx, c, owner, want)
}

// CreateOrReplace writes an object that has one writer: it creates it or, given a resource version, updates it as a whole
// and fails with a conflict if the object has changed since. It clears managedFields, which are half of the cost of a write
// and of no use with a single owner (Kubernetes, "Clearing managedFields").
func CreateOrReplace(ctx context.Context, c client.Client, owner string, object client.Object) error {
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
	// It exists but was not in the owner's cache, so its content may differ.
	return ForceApply(ctx, c, owner, desired)
}

func forceApply(ctx context.Context, c client.Client, owner string, fields map[string]any) error {
	config := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: fields})
	return c.Apply(ctx, config, client.FieldOwner(owner), client.ForceOwnership)
}

// Status applies a status as a whole. With a resource version it fails with a conflict if the object has changed since.
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

// dropEmpty removes fields that are empty structs, which encoding/json writes in spite of omitempty. Applying an empty
// struct over one that had fields would set it to null, which the schema rejects.
func dropEmpty(fields map[string]any) {
	for name, value := range fields {
		if inner, ok := value.(map[string]any); ok {
			if dropEmpty(inner); len(inner) == 0 {
				delete(fields, name)
			}
		}
	}
}

// content is an object as JSON fields, without those that an owner does not set.
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

// covers is whether have includes everything in want. Lists must be equal; maps may hold more.
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
