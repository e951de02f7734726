// Package snapshot reads from the cache the inputs of a computation about one Consortium, and maps objects to the requests
// of the Consortia, Channels and Contracts that depend on them. It must know nothing of what is computed.
package snapshot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/ledger"
)

// Names of the cache's indexes.
const (
	consortiumByName   = "consortium.name"
	consortiumByMember = "consortium.member"
	channelBySpec      = "channel.consortium"
	contractByChannel  = "contract.channel"
	planByConsortium   = "plan.consortium"
	lineByMember       = "line.member"
	lineByAddresses    = "line.addresses"
)

// undecodedMember is the index key of Lines that were not decoded completely, whose Members are not known. It is not a
// valid name of a Member.
const undecodedMember = "?"

// Index adds the indexes that this package uses to a cache.
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
			return []string{ConsortiumOf(p).String()}
		}},
		{&v1alpha1.Line{}, lineByMember, func(o client.Object) []string {
			l, _ := o.(*v1alpha1.Line)
			return lineMembers(l)
		}},
		{&v1alpha1.Line{}, lineByAddresses, func(o client.Object) []string {
			l, _ := o.(*v1alpha1.Line)
			return []string{plan.AddressKey(l)}
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

// lineMembers are the names of the Members at a Line's ends, each once, or undecodedMember if it was not decoded completely.
func lineMembers(l *v1alpha1.Line) []string {
	if !l.Undecodable.InStatus() {
		return []string{undecodedMember}
	}
	var names []string
	for _, end := range l.Spec.Ends {
		if !slices.Contains(names, end.Member) {
			names = append(names, end.Member)
		}
	}
	return names
}

// ConsortiumOf is the Consortium that a plan belongs to.
func ConsortiumOf(p *v1alpha1.MemberPlan) types.NamespacedName {
	return types.NamespacedName{Namespace: p.Spec.ConsortiumNamespace, Name: p.Spec.Consortium}
}

// Reader reads from a cache with the indexes of this package. It returns the cache's own objects, which must not be
// modified: with a hundred channels, copies would cost more than everything else.
type Reader struct {
	Cache client.Reader
	// Live reads from the API server, where the cache is known to be behind.
	Live client.Reader
	// TemplateImages are the images of the contracts that ship with Hanse, as far as the host's operators have set them.
	TemplateImages map[v1alpha1.ContractTemplate]string
	// Planners of the ledgers that the host knows.
	Planners ledger.Planners
}

// Consortium reads everything about one Consortium; it returns a NotFound error if there is none.
func (r Reader) Consortium(ctx context.Context, key types.NamespacedName) (plan.Input, error) {
	in := plan.Input{Consortium: &v1alpha1.Consortium{}, TemplateImages: r.TemplateImages}
	if err := r.Cache.Get(ctx, key, in.Consortium); err != nil {
		return in, err
	}
	if in.Planner = r.Planners.Of(in.Consortium.Spec.Ledger); in.Planner == nil {
		return in, fmt.Errorf("consortium %s has a ledger of type %s, which this controller does not know: update it", key, in.Consortium.Spec.Ledger.Type)
	}
	var namesakes v1alpha1.ConsortiumList
	if err := r.list(ctx, &namesakes, client.MatchingFields{consortiumByName: key.Name}); err != nil {
		return in, err
	}
	in.Conflicts = slices.DeleteFunc(namesakes.Items, func(c v1alpha1.Consortium) bool { return c.Namespace == key.Namespace })
	if err := r.readDeclared(ctx, &in); err != nil {
		return in, err
	}
	var err error
	if in.Lines, err = r.linesAmong(ctx, Members(in.Consortium)); err != nil {
		return in, err
	}
	if in.Stored, err = r.Plans(ctx, key); err != nil {
		return in, err
	}
	if in.Definition, err = r.definition(ctx, in.Consortium, in.Stored); err != nil {
		return in, err
	}
	in.Plans = plan.Join(in.Stored, in.Definition)
	in.Members, err = r.Members(ctx, Members(in.Consortium))
	return in, err
}

// linesAmong are the Lines with both ends at some of the Members, those that were not decoded completely, and those
// between the same addresses as any of these; sorted by name. It uses the indexes only, so the cost does not depend on what
// others have declared.
func (r Reader) linesAmong(ctx context.Context, members []string) ([]v1alpha1.Line, error) {
	among := make(map[string]bool, len(members))
	for _, name := range members {
		among[name] = true
	}
	found := map[string]v1alpha1.Line{}
	for _, name := range append([]string{undecodedMember}, members...) {
		own, err := r.LinesOf(ctx, name)
		if err != nil {
			return nil, err
		}
		for i := range own {
			line := &own[i]
			if _, known := found[line.Name]; known || name != undecodedMember && slices.ContainsFunc(lineMembers(line), func(m string) bool { return !among[m] }) {
				continue
			}
			duplicates, err := r.LinesSharingAddresses(ctx, line)
			if err != nil {
				return nil, err
			}
			found[line.Name] = *line
			for _, duplicate := range duplicates {
				found[duplicate.Name] = duplicate
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b v1alpha1.Line) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// LinesOf are the Lines with an end at a Member.
func (r Reader) LinesOf(ctx context.Context, member string) ([]v1alpha1.Line, error) {
	var lines v1alpha1.LineList
	err := r.list(ctx, &lines, client.MatchingFields{lineByMember: member})
	return lines.Items, err
}

// LinesSharingAddresses are the Lines between the same addresses as the given one, including it; none if it was not decoded
// completely.
func (r Reader) LinesSharingAddresses(ctx context.Context, line *v1alpha1.Line) ([]v1alpha1.Line, error) {
	addresses := plan.AddressKey(line)
	if addresses == "" {
		return nil, nil
	}
	var lines v1alpha1.LineList
	err := r.list(ctx, &lines, client.MatchingFields{lineByAddresses: addresses})
	return lines.Items, err
}

// Declared are the Channels that name a Consortium, which need not exist, and the Contracts on them; without those that are
// being deleted. Both are sorted by name.
func (r Reader) Declared(ctx context.Context, consortium types.NamespacedName) ([]v1alpha1.Channel, []v1alpha1.Contract, error) {
	in := plan.Input{Consortium: &v1alpha1.Consortium{}}
	in.Consortium.Namespace, in.Consortium.Name = consortium.Namespace, consortium.Name
	err := r.readDeclared(ctx, &in)
	return in.Channels, in.Contracts, err
}

// readDeclared reads the Consortium's channels and contracts, without those that are being deleted.
func (r Reader) readDeclared(ctx context.Context, in *plan.Input) error {
	namespace := client.InNamespace(in.Consortium.Namespace)
	var channels v1alpha1.ChannelList
	if err := r.list(ctx, &channels, namespace, client.MatchingFields{channelBySpec: in.Consortium.Name}); err != nil {
		return err
	}
	in.Channels = slices.DeleteFunc(channels.Items, func(c v1alpha1.Channel) bool { return !c.DeletionTimestamp.IsZero() })
	slices.SortFunc(in.Channels, func(a, b v1alpha1.Channel) int { return cmp.Compare(a.Name, b.Name) })
	for i := range in.Channels {
		var contracts v1alpha1.ContractList
		if err := r.list(ctx, &contracts, namespace, client.MatchingFields{contractByChannel: in.Channels[i].Name}); err != nil {
			return err
		}
		in.Contracts = append(in.Contracts, contracts.Items...)
	}
	in.Contracts = slices.DeleteFunc(in.Contracts, func(c v1alpha1.Contract) bool { return !c.DeletionTimestamp.IsZero() })
	slices.SortFunc(in.Contracts, func(a, b v1alpha1.Contract) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// Plans are a Consortium's plans, by Member. A plan outside its Member's namespace is ignored.
func (r Reader) Plans(ctx context.Context, key types.NamespacedName) (map[string]*v1alpha1.MemberPlan, error) {
	var plans v1alpha1.MemberPlanList
	if err := r.list(ctx, &plans, client.MatchingFields{planByConsortium: key.String()}); err != nil {
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

// definition is the Consortium's stored definition; nil if there is none, or only that of a Consortium of the same name before.
// If a plan refers to another one than the cache has, that may be behind: plans and definitions have a watch each.
func (r Reader) definition(ctx context.Context, c *v1alpha1.Consortium, plans map[string]*v1alpha1.MemberPlan) (*v1alpha1.ConsortiumDefinition, error) {
	key := types.NamespacedName{Namespace: v1alpha1.StatementsNamespace(c.Name), Name: c.Name}
	definition := &v1alpha1.ConsortiumDefinition{}
	err := r.Cache.Get(ctx, key, definition)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	for _, p := range plans {
		if p.Spec.Definition == nil || p.Spec.Definition.Digest == definition.Spec.Digest {
			continue
		}
		definition = &v1alpha1.ConsortiumDefinition{}
		if err = r.Live.Get(ctx, key, definition); client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		break
	}
	if err != nil || definition.Labels[v1alpha1.LabelConsortiumUID] != string(c.UID) {
		return nil, nil
	}
	return definition, nil
}

// Members reads Members by name. One that does not exist, or is being deleted, is left out.
func (r Reader) Members(ctx context.Context, names []string) (map[string]*v1alpha1.Member, error) {
	members := map[string]*v1alpha1.Member{}
	for _, name := range names {
		member := &v1alpha1.Member{}
		err := r.Cache.Get(ctx, types.NamespacedName{Name: name}, member, client.UnsafeDisableDeepCopy)
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

func (r Reader) list(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return r.Cache.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...)
}
