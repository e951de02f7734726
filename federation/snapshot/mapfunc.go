package snapshot

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Consortia are the Consortia that depend on an object. If a lookup fails there are none: later events of the object, or
// of those that it names, enqueue them.
func (r Reader) Consortia(ctx context.Context, object client.Object) []types.NamespacedName {
	switch o := object.(type) {
	case *v1alpha1.Consortium:
		return r.consortiaNamed(ctx, o)
	case *v1alpha1.Channel:
		return []types.NamespacedName{{Namespace: o.Namespace, Name: o.Spec.Consortium}}
	case *v1alpha1.Contract:
		var channel v1alpha1.Channel
		if r.Cache.Get(ctx, types.NamespacedName{Namespace: o.Namespace, Name: o.Spec.Channel}, &channel) != nil {
			return nil
		}
		return []types.NamespacedName{{Namespace: o.Namespace, Name: channel.Spec.Consortium}}
	case *v1alpha1.MemberPlan:
		return []types.NamespacedName{ConsortiumOf(o)}
	case *v1alpha1.Member:
		return r.consortiaOf(ctx, o.Name)
	case *v1alpha1.Line:
		var keys []types.NamespacedName
		for _, end := range o.Spec.Ends {
			keys = append(keys, r.consortiaOf(ctx, end.Member)...)
		}
		return keys
	}
	return nil
}

// consortiaNamed are the Consortia that share a name, including this one.
func (r Reader) consortiaNamed(ctx context.Context, c *v1alpha1.Consortium) []types.NamespacedName {
	return r.consortiumKeys(ctx, client.MatchingFields{consortiumByName: c.Name}, client.ObjectKeyFromObject(c))
}

// consortiaOf are the Consortia that a Member takes part in.
func (r Reader) consortiaOf(ctx context.Context, member string) []types.NamespacedName {
	return r.consortiumKeys(ctx, client.MatchingFields{consortiumByMember: member})
}

func (r Reader) consortiumKeys(ctx context.Context, fields client.MatchingFields, keys ...types.NamespacedName) []types.NamespacedName {
	var list v1alpha1.ConsortiumList
	if r.list(ctx, &list, fields) != nil {
		return keys
	}
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return keys
}

// ContractsOnChannel are the Contracts that name a Channel, whether or not the Channel belongs to an existing Consortium.
func (r Reader) ContractsOnChannel(ctx context.Context, channel types.NamespacedName) []types.NamespacedName {
	var list v1alpha1.ContractList
	if r.list(ctx, &list, client.InNamespace(channel.Namespace), client.MatchingFields{contractByChannel: channel.Name}) != nil {
		return nil
	}
	keys := make([]types.NamespacedName, 0, len(list.Items))
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return keys
}
