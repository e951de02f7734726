package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

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

// OwnStatus applies the status that object has, and nothing else of it, and returns the object in the response. The
// status is taken as it is: what it lacks and the owner applied before is removed.
func OwnStatus(ctx context.Context, c client.Client, owner string, object client.Object) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("convert %T %s: %w", object, object.GetName(), err)
	}
	gvk, err := apiutil.GVKForObject(object, c.Scheme())
	if err != nil {
		return nil, fmt.Errorf("kind of %T: %w", object, err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": fields["status"]}}
	u.SetGroupVersionKind(gvk)
	u.SetName(object.GetName())
	u.SetNamespace(object.GetNamespace())
	return u, c.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(owner), client.ForceOwnership)
}
