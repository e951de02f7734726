// Package gather reads from the cache what a computation about one Consortium needs, and says which Consortia an object
// concerns. It must know nothing of what is computed.
package gather

import (
	"cmp"
	"context"
	"maps"
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
	lineByMember       = "line.member"
	lineByRoad         = "line.road"
)

// unread stands, in the index of Lines, for the Members of one that was not read whole. No Member can have this name.
const unread = "?"

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
		{&v1alpha1.Line{}, lineByMember, func(o client.Object) []string {
			l, _ := o.(*v1alpha1.Line)
			return ends(l)
		}},
		{&v1alpha1.Line{}, lineByRoad, func(o client.Object) []string {
			l, _ := o.(*v1alpha1.Line)
			return []string{plan.Road(l)}
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

// ends are the names of the Members that a Line ends at, each once, and unread for one that was not read whole.
func ends(l *v1alpha1.Line) []string {
	if !l.Undecodable.InStatus() {
		return []string{unread}
	}
	var names []string
	for _, end := range l.Spec.Ends {
		if !slices.Contains(names, end.Member) {
			names = append(names, end.Member)
		}
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
	// TemplateImages are the images of the contracts that ship with Hanse, where the host's operators have said which.
	TemplateImages map[v1alpha1.ContractTemplate]string
}

// Consortium gathers everything about one Consortium; not found if there is none.
func (g Gatherer) Consortium(ctx context.Context, key types.NamespacedName) (plan.Input, error) {
	in := plan.Input{Consortium: &v1alpha1.Consortium{}, TemplateImages: g.TemplateImages}
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
	var err error
	if in.Lines, err = g.linesAmong(ctx, Members(in.Consortium)); err != nil {
		return in, err
	}
	if in.Plans, err = g.Plans(ctx, key); err != nil {
		return in, err
	}
	in.Members, err = g.Members(ctx, Members(in.Consortium))
	return in, err
}

// linesAmong are the Lines with both ends at some of the Members, those that were not read whole, and those that lead
// between the same addresses as any of these; sorted by name. The cache is asked by what it is indexed by, so that what
// others have declared costs nothing.
func (g Gatherer) linesAmong(ctx context.Context, members []string) ([]v1alpha1.Line, error) {
	among := make(map[string]bool, len(members))
	for _, name := range members {
		among[name] = true
	}
	found := map[string]v1alpha1.Line{}
	for _, name := range append([]string{unread}, members...) {
		own, err := g.LinesOf(ctx, name)
		if err != nil {
			return nil, err
		}
		for i := range own {
			line := &own[i]
			if _, known := found[line.Name]; known || name != unread && slices.ContainsFunc(ends(line), func(m string) bool { return !among[m] }) {
				continue
			}
			twins, err := g.LinesLike(ctx, line)
			if err != nil {
				return nil, err
			}
			found[line.Name] = *line
			for _, twin := range twins {
				found[twin.Name] = twin
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b v1alpha1.Line) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// LinesOf are the Lines that end at a Member.
func (g Gatherer) LinesOf(ctx context.Context, member string) ([]v1alpha1.Line, error) {
	var lines v1alpha1.LineList
	err := g.list(ctx, &lines, client.MatchingFields{lineByMember: member})
	return lines.Items, err
}

// LinesLike are the Lines that lead between the same addresses as one does, that one among them; none if it was not read
// whole.
func (g Gatherer) LinesLike(ctx context.Context, line *v1alpha1.Line) ([]v1alpha1.Line, error) {
	road := plan.Road(line)
	if road == "" {
		return nil, nil
	}
	var lines v1alpha1.LineList
	err := g.list(ctx, &lines, client.MatchingFields{lineByRoad: road})
	return lines.Items, err
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
