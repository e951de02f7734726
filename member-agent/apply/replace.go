package apply

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// CreateOrReplace writes an object that has no other writer: it creates it, or replaces it if it has a resource version,
// and fails with a conflict if that is outdated. Managed fields are cleared, which saves half of the cost of a write and
// is possible where there is one owner (Kubernetes, "Clearing managedFields").
func CreateOrReplace(ctx context.Context, c client.Client, obj client.Object, owner string) error {
	if obj.GetResourceVersion() == "" {
		return c.Create(ctx, obj, client.FieldOwner(owner))
	}
	obj.SetManagedFields([]metav1.ManagedFieldsEntry{{}})
	return c.Update(ctx, obj, client.FieldOwner(owner))
}

// Status applies the status of obj, and nothing else of it, as the field manager owner.
func Status(ctx context.Context, c client.Client, obj client.Object, owner string) error {
	_, err := StatusAndGet(ctx, c, obj, owner)
	return err
}

// StatusAndGet does what Status does, and returns the object in the response.
func StatusAndGet(ctx context.Context, c client.Client, obj client.Object, owner string) (*unstructured.Unstructured, error) {
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("convert %T %s: %w", obj, obj.GetName(), err)
	}
	gvk, err := apiutil.GVKForObject(obj, c.Scheme())
	if err != nil {
		return nil, fmt.Errorf("kind of %T: %w", obj, err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": m["status"]}}
	u.SetGroupVersionKind(gvk)
	u.SetName(obj.GetName())
	u.SetNamespace(obj.GetNamespace())
	return u, c.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(owner), client.ForceOwnership)
}
