package consortium

import (
	"context"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/internal/apply"
)

// definedConsortium maps a definition to the Consortium whose it is: one that somebody has changed or deleted is written again.
func definedConsortium(_ context.Context, object client.Object) []types.NamespacedName {
	labels := object.GetLabels()
	return []types.NamespacedName{{Namespace: labels[v1alpha1.LabelConsortiumNamespace], Name: labels[v1alpha1.LabelConsortium]}}
}

// staleDefinition is the definition to write; nil if the stored one is as it is to be, or none is needed.
func staleDefinition(in plan.Input, want *v1alpha1.ConsortiumDefinitionSpec) *v1alpha1.ConsortiumDefinition {
	if want == nil {
		return nil
	}
	object := &v1alpha1.ConsortiumDefinition{
		ObjectMeta: ofConsortium(in.Consortium, v1alpha1.StatementsNamespace(in.Consortium.Name), in.Consortium.Name), Spec: *want,
	}
	have := in.Definition
	if have == nil {
		return object
	}
	if have.Spec == *want && belongsTo(have, in.Consortium) {
		return nil
	}
	next := have.DeepCopy()
	next.Spec = *want
	maps.Copy(next.Labels, object.Labels)
	return next
}

// writeDefinition writes a definition, which plans are about to refer to.
func (r *Reconciler) writeDefinition(ctx context.Context, definition *v1alpha1.ConsortiumDefinition) error {
	desired := definition.DeepCopy()
	err := apply.CreateOrReplace(ctx, r.Client, FieldManager, definition)
	if apierrors.IsAlreadyExists(err) { // of a Consortium of the same name before, or not in the cache yet
		err = apply.ForceApply(ctx, r.Client, FieldManager, desired)
	}
	if err != nil {
		return fmt.Errorf("write the definition that the plans refer to, ConsortiumDefinition %s/%s: %w", desired.Namespace, desired.Name, err)
	}
	return nil
}

// deleteDefinition deletes a definition that no plan refers to any more.
func (r *Reconciler) deleteDefinition(ctx context.Context, in plan.Input) error {
	if in.Definition == nil {
		return nil
	}
	for _, p := range in.Stored {
		if p.Spec.Definition != nil {
			return nil // written in this turn; the event of that has it looked at again
		}
	}
	return client.IgnoreNotFound(r.Client.Delete(ctx, in.Definition, client.Preconditions{ResourceVersion: &in.Definition.ResourceVersion}))
}
