package propagation

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/hack/bench/controlplanes"
)

// namespace of the declarations on the host.
const namespace = "bench"

// consortium is one of many, each with a channel and a contract of its own. Its name is the name of all three.
func consortium(i int) string { return fmt.Sprintf("c%03d", i) }

// declare declares consortia in which the Member is alone, with one peer and one orderer.
func declare(ctx context.Context, c client.Client, from, to int) error {
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := client.IgnoreAlreadyExists(c.Create(ctx, space)); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		name := consortium(i)
		for _, object := range []*unstructured.Unstructured{
			object("Consortium", name, map[string]any{"members": []any{map[string]any{"name": controlplanes.Member, "role": string(v1alpha1.RoleLeader)}}}),
			object("Channel", name, map[string]any{"consortium": name}),
			contract(name, 0),
		} {
			if err := apply(ctx, c, object); err != nil {
				return err
			}
		}
	}
	return nil
}

// contract declares the contract in its n-th version, which is what the changes change.
func contract(name string, n int) *unstructured.Unstructured {
	return object("Contract", name, map[string]any{"channel": name, "template": string(v1alpha1.TemplateNotary), "version": version(n)})
}

func version(n int) string { return fmt.Sprintf("1.%d", n) }

func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

func apply(ctx context.Context, c client.Client, u *unstructured.Unstructured) error {
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kubectl")); err != nil {
		return fmt.Errorf("apply %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return nil
}
