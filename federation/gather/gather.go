// Package gather reads from the cache what a computation about one Consortium needs, and says which Consortia an object
// concerns. It must know nothing of what is computed.
package gather

import (
	"cmp"
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// Names of the cache's indexes.
const (
	consortiumByName   = "consortium.name"
	consortiumByMember = "consortium.member"
	channelBySpec      = "channel.consortium"
	contractByChannel  = "contract.channel"
	planByConsortium   = "plan.consortium"
)

// Index tells the cache by what the objects are looked up.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range []struct {
		object client.Object
		name   string
		keys   client.IndexerFunc
	}{
		{&v1alpha1.Consortium{}, consortiumByName, func(o client.Object) []string { return []string{o.GetName()} }},
		{&v1alpha1.Consortium{}, consortiumByMember, func(o client.Object) []string {
			c, _ := o.(*v1alpha1.Consortium)
			return Members(c)
		}},
		{&v1alpha1.Channel{}, channelBySpec, func(o client.Object) []string {
			c, _ := o.(*v1alpha1.Channel)
			return []string{c.Spec.Consortium}
		}},
		{&v1alpha1.Contract{}, contractByChannel, func(o client.Object) []string {
			c, _ := o.(*v1alpha1.Contract)
			return []string{c.Spec.Channel}
		}},
		{&v1alpha1.MemberPlan{}, planByConsortium, func(o client.Object) []string {
			p, _ := o.(*v1alpha1.MemberPlan)
			return []string{OfPlan(p).String()}
		}},
	} {
		if err := indexer.IndexField(ctx, index.object, index.name, index.keys); err != nil {
			return err
		}
	}
	return nil
}

// Members are the names of a Consortium's Members.
func Members(c *v1alpha1.Consortium) []string {
	names := make([]string, 0, len(c.Spec.Members))
	for _, m := range c.Spec.Members {
		names = append(names, m.Name)
	}
	return names
}

// OfPlan is the Consortium that a plan belongs to.
func OfPlan(p *v1alpha1.MemberPlan) types.NamespacedName {
	return types.NamespacedName{Namespace: p.Spec.ConsortiumNamespace, Name: p.Spec.Consortium}
}

// Gatherer reads from a cache with the indexes of this package. What it hands out is the cache's own and is not to be
// changed: with a hundred channels, copies would cost more than all the rest.
type Gatherer struct {
	Reader client.Reader
}

// Consortium gathers everything about one Consortium; not found if there is none.
func (g Gatherer) Consortium(ctx context.Context, key types.NamespacedName) (plan.Input, error) {
	in := plan.Input{Consortium: &v1alpha1.Consortium{}}
	if err := g.Reader.Get(ctx, key, in.Consortium); err != nil {
		return in, err
	}
	var rivals v1alpha1.ConsortiumList
	if err := g.list(ctx, &rivals, client.MatchingFields{consortiumByName: key.Name}); err != nil {
		return in, err
	}
	in.Rivals = slices.DeleteFunc(rivals.Items, func(c v1alpha1.Consortium) bool { return c.Namespace == key.Namespace })
	if err := g.declared(ctx, &in); err != nil {
		return in, err
	}
	var lines v1alpha1.LineList
	if err := g.list(ctx, &lines); err != nil {
		return in, err
	}
	in.Lines = lines.Items
	slices.SortFunc(in.Lines, func(a, b v1alpha1.Line) int { return cmp.Compare(a.Name, b.Name) })
	var err error
	if in.Plans, err = g.Plans(ctx, key); err != nil {
		return in, err
	}
	in.Members, err = g.Members(ctx, Members(in.Consortium))
	return in, err
}

// declared gathers the Consortium's channels and contracts. Those that are being deleted are gone already.
func (g Gatherer) declared(ctx context.Context, in *plan.Input) error {
	namespace := client.InNamespace(in.Consortium.Namespace)
	var channels v1alpha1.ChannelList
	if err := g.list(ctx, &channels, namespace, client.MatchingFields{channelBySpec: in.Consortium.Name}); err != nil {
		return err
	}
	in.Channels = slices.DeleteFunc(channels.Items, func(c v1alpha1.Channel) bool { return !c.DeletionTimestamp.IsZero() })
	slices.SortFunc(in.Channels, func(a, b v1alpha1.Channel) int { return cmp.Compare(a.Name, b.Name) })
	for i := range in.Channels {
		var contracts v1alpha1.ContractList
		if err := g.list(ctx, &contracts, namespace, client.MatchingFields{contractByChannel: in.Channels[i].Name}); err != nil {
			return err
		}
		in.Contracts = append(in.Contracts, contracts.Items...)
	}
	in.Contracts = slices.DeleteFunc(in.Contracts, func(c v1alpha1.Contract) bool { return !c.DeletionTimestamp.IsZero() })
	slices.SortFunc(in.Contracts, func(a, b v1alpha1.Contract) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// Plans are a Consortium's plans, by Member. A plan that is not where its Member's plans belong is nobody's.
func (g Gatherer) Plans(ctx context.Context, key types.NamespacedName) (map[string]*v1alpha1.MemberPlan, error) {
	var plans v1alpha1.MemberPlanList
	if err := g.list(ctx, &plans, client.MatchingFields{planByConsortium: key.String()}); err != nil {
		return nil, err
	}
	byMember := map[string]*v1alpha1.MemberPlan{}
	for i := range plans.Items {
		if p := &plans.Items[i]; p.Namespace == v1alpha1.MemberNamespace(p.Spec.Member) && p.Name == key.Name {
			byMember[p.Spec.Member] = p
		}
	}
	return byMember, nil
}

// Members reads Members by name. One that does not exist, or is being deleted, is left out.
func (g Gatherer) Members(ctx context.Context, names []string) (map[string]*v1alpha1.Member, error) {
	members := map[string]*v1alpha1.Member{}
	for _, name := range names {
		member := &v1alpha1.Member{}
		err := g.Reader.Get(ctx, types.NamespacedName{Name: name}, member, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) || (err == nil && !member.DeletionTimestamp.IsZero()) {
			continue
		}
		if err != nil {
			return nil, err
		}
		members[name] = member
	}
	return members, nil
}

func (g Gatherer) list(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return g.Reader.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...)
}
