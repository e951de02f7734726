package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ApplyIfChanged applies an object unless the cached one has all of its fields already. Further fields of the existing
// object are left alone, so it cannot be used to remove fields.
func ApplyIfChanged(ctx context.Context, c client.Client, owner string, desired client.Object) error {
	want, err := Unstructured(desired, c.Scheme())
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
		have, err := Unstructured(existing, c.Scheme())
		if err != nil {
			return err
		}
		if covers(have.Object, want.Object) {
			return nil
		}
	}
	return forceApply(ctx, c, owner, want)
}

// ForceApply applies an object without reading the cache first, and takes over fields from other managers.
func ForceApply(ctx context.Context, c client.Client, owner string, desired client.Object) error {
	want, err := Unstructured(desired, c.Scheme())
	if err != nil {
		return err
	}
	return forceApply(ctx, c, owner, want)
}

func forceApply(ctx context.Context, c client.Client, owner string, want *unstructured.Unstructured) error {
	config := client.ApplyConfigurationFromUnstructured(want)
	return c.Apply(ctx, config, client.FieldOwner(owner), client.ForceOwnership)
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
