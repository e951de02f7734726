package gather

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Consortia are the Consortia that an object concerns. An object that cannot be looked up concerns none: its own
// events, or those of what it names, come later.
func (g Gatherer) Consortia(ctx context.Context, object client.Object) []types.NamespacedName {
	switch o := object.(type) {
	case *v1alpha1.Consortium:
		return g.named(ctx, o)
	case *v1alpha1.Channel:
		return []types.NamespacedName{{Namespace: o.Namespace, Name: o.Spec.Consortium}}
	case *v1alpha1.Contract:
		var channel v1alpha1.Channel
		if g.Reader.Get(ctx, types.NamespacedName{Namespace: o.Namespace, Name: o.Spec.Channel}, &channel) != nil {
			return nil
		}
		return []types.NamespacedName{{Namespace: o.Namespace, Name: channel.Spec.Consortium}}
	case *v1alpha1.MemberPlan:
		return []types.NamespacedName{OfPlan(o)}
	case *v1alpha1.Member:
		return g.with(ctx, o.Name)
	case *v1alpha1.Line:
		var keys []types.NamespacedName
		for _, end := range o.Spec.Ends {
			keys = append(keys, g.with(ctx, end.Member)...)
		}
		return keys
	}
	return nil
}

// named are the Consortia that share a name, this one among them.
func (g Gatherer) named(ctx context.Context, c *v1alpha1.Consortium) []types.NamespacedName {
	return g.keys(ctx, client.MatchingFields{consortiumByName: c.Name}, client.ObjectKeyFromObject(c))
}

// with are the Consortia that a Member takes part in.
func (g Gatherer) with(ctx context.Context, member string) []types.NamespacedName {
	return g.keys(ctx, client.MatchingFields{consortiumByMember: member})
}

func (g Gatherer) keys(ctx context.Context, fields client.MatchingFields, keys ...types.NamespacedName) []types.NamespacedName {
	var list v1alpha1.ConsortiumList
	if g.list(ctx, &list, fields) != nil {
		return keys
	}
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return keys
}

// Channels are the Channels of every Consortium that an object concerns.
func (g Gatherer) Channels(ctx context.Context, object client.Object) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, consortium := range g.Consortia(ctx, object) {
		var list v1alpha1.ChannelList
		if g.list(ctx, &list, client.InNamespace(consortium.Namespace), client.MatchingFields{channelBySpec: consortium.Name}) != nil {
			continue
		}
		for i := range list.Items {
			keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
	return keys
}

// Contracts are the Contracts on the Channels of every Consortium that an object concerns.
func (g Gatherer) Contracts(ctx context.Context, object client.Object) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, channel := range g.Channels(ctx, object) {
		var list v1alpha1.ContractList
		if g.list(ctx, &list, client.InNamespace(channel.Namespace), client.MatchingFields{contractByChannel: channel.Name}) != nil {
			continue
		}
		for i := range list.Items {
			keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
	return keys
}

// OnChannel are the Contracts that name a Channel, whether the Channel is any Consortium's or not.
func (g Gatherer) OnChannel(ctx context.Context, channel types.NamespacedName) []types.NamespacedName {
	var list v1alpha1.ContractList
	if g.list(ctx, &list, client.InNamespace(channel.Namespace), client.MatchingFields{contractByChannel: channel.Name}) != nil {
		return nil
	}
	keys := make([]types.NamespacedName, 0, len(list.Items))
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return keys
}
