package apply

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CreateOrReplace writes an object that has one writer: it creates it or, given a resource version, updates it as a whole.
// It fails with a conflict if the object has changed since, and with AlreadyExists if there is one where none was known.
// It clears managedFields, which are half of the cost of a write and of no use with a single owner (Kubernetes, "Clearing
// managedFields").
func CreateOrReplace(ctx context.Context, c client.Client, owner string, object client.Object) error {
	if object.GetResourceVersion() == "" {
		return c.Create(ctx, object, client.FieldOwner(owner))
	}
	object.SetManagedFields([]metav1.ManagedFieldsEntry{{}})
	return c.Update(ctx, object, client.FieldOwner(owner))
}
