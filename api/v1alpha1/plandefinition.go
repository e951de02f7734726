package v1alpha1

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
)

// Definition is what all Members of one Consortium share. It has nothing that is for one Member alone, nor what changes with
// the Members' statements, so that its digest stays while nothing is declared: Members can come to sign it. Channels and
// contracts that concern some of the Members only are in those Members' plans and not here: nobody reads what does not
// concern him.
type Definition struct {
	// Consortium that it is about, and its namespace on the host.
	Consortium          string `json:"consortium"`
	ConsortiumNamespace string `json:"consortiumNamespace"`
	// Ledger with every default filled in.
	Ledger LedgerSpec `json:"ledger"`
	// Members of the Consortium, sorted by name, without digests of their statements.
	Members []PlanMember `json:"members"`
	// ChannelDefaults are for the encoding only; see MemberPlanSpec.
	ChannelDefaults *PlanChannelDefaults `json:"channelDefaults,omitempty"`
	// Channels that concern all Members, sorted by name, without what a plan says of its own Member's part in them.
	Channels []PlanChannel `json:"channels,omitempty"`
	// Contracts on those of the Channels that all Members are members of, sorted by channel and name.
	Contracts []PlanContract `json:"contracts,omitempty"`
}

// Encode is the definition as it is stored, with its digest. The same definition always gives the same bytes: fields in the
// order of the types, maps sorted by key, nothing that is empty.
func (d *Definition) Encode() ConsortiumDefinitionSpec {
	out := *d
	out.Channels, out.ChannelDefaults = compactChannels(d.Channels, memberNames(d.Members))
	text, err := json.Marshal(out)
	if err != nil {
		panic("v1alpha1: a definition that cannot be encoded: " + err.Error()) // plain data
	}
	return ConsortiumDefinitionSpec{Digest: contentDigest(string(text)), Content: string(text)}
}

func contentDigest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// Decode reads a stored definition, and checks its size and its digest. It is not checked beyond that: a plan that was joined
// with it is, as any other.
func (s *ConsortiumDefinitionSpec) Decode() (*Definition, error) {
	if len(s.Content) > MaxPlanBytes {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(s.Content), MaxPlanBytes)
	}
	if has := contentDigest(s.Content); has != s.Digest {
		return nil, fmt.Errorf("its content has the digest %s, not %.64q", has, s.Digest)
	}
	d := &Definition{}
	bad, err := decodeWhole([]byte(s.Content), d)
	if err == nil && len(bad) > 0 {
		err = errors.New(bad.String())
	}
	if err != nil {
		return nil, fmt.Errorf("it cannot be decoded: %.512s", err.Error())
	}
	expandChannels(d.Channels, d.ChannelDefaults, memberNames(d.Members))
	d.ChannelDefaults = nil
	return d, nil
}

// Split is a plan as it is stored beside the definition of that digest: without what the definition has. Join undoes it. If the
// plan is not one that Join could make, ok is false, and it has to be stored as a whole.
func (d *Definition) Split(spec *MemberPlanSpec, digest string) (own MemberPlanSpec, ok bool) {
	own, ref := *spec, &PlanDefinition{Digest: digest}
	own.Definition, own.Ledger, own.Members = ref, LedgerSpec{}, nil
	ok = spec.Definition == nil && spec.Consortium == d.Consortium && spec.ConsortiumNamespace == d.ConsortiumNamespace &&
		equality.Semantic.DeepEqual(spec.Ledger, d.Ledger) && d.splitMembers(spec.Members, ref)
	if !ok {
		return own, false
	}
	if own.Channels, ok = d.splitChannels(spec.Channels); !ok {
		return own, false
	}
	own.Contracts, ok = d.splitContracts(spec.Contracts, ref)
	return own, ok
}

// splitMembers puts the digests of the Members' statements into a reference.
func (d *Definition) splitMembers(members []PlanMember, ref *PlanDefinition) bool {
	if len(members) != len(d.Members) {
		return false
	}
	for i := range members {
		if !equality.Semantic.DeepEqual(WithoutStatements(members[i]), d.Members[i]) {
			return false
		}
		ref.Records, ref.Holdings = append(ref.Records, members[i].Record), append(ref.Holdings, members[i].Holdings)
	}
	ref.Records, ref.Holdings = trimEmpty(ref.Records), trimEmpty(ref.Holdings)
	return true
}

// WithoutStatements is a Member as a definition has it.
func WithoutStatements(m PlanMember) PlanMember {
	m.Record, m.Holdings = "", ""
	return m
}

// trimEmpty is a list without empty texts at its end; nil if there is no other.
func trimEmpty(list []string) []string {
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return slices.Clip(list)
}

// splitChannels leaves of the definition's channels those with something for this Member alone, and of these only that; and
// all channels that are not the definition's.
func (d *Definition) splitChannels(channels []PlanChannel) (own []PlanChannel, ok bool) {
	shared := 0
	for i := range channels {
		c := &channels[i]
		if i > 0 && c.Name <= channels[i-1].Name {
			return nil, false
		}
		at, found := slices.BinarySearchFunc(d.Channels, c.Name, func(c PlanChannel, name string) int { return cmp.Compare(c.Name, name) })
		switch {
		case !found:
			own = append(own, *c)
		case !sameChannel(c, &d.Channels[at]):
			return nil, false
		default:
			shared++
			if part := (PlanChannel{Name: c.Name, Genesis: c.Genesis, GenesisRequested: c.GenesisRequested}); part.Genesis != nil || part.GenesisRequested {
				own = append(own, part)
			}
		}
	}
	return own, shared == len(d.Channels)
}

// sameChannel compares a channel with a definition's.
func sameChannel(c, shared *PlanChannel) bool {
	if !slices.Equal(c.Members, shared.Members) { // most of it, and far cheaper than by reflection
		return false
	}
	a, b := WithoutOwnPart(*c), *shared
	a.Members, b.Members = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

// WithoutOwnPart is a channel as a definition has it.
func WithoutOwnPart(c PlanChannel) PlanChannel {
	c.Genesis, c.GenesisRequested = nil, false
	return c
}

// splitContracts leaves the contracts that are not the definition's. A plan has all of these or none.
func (d *Definition) splitContracts(contracts []PlanContract, ref *PlanDefinition) (own []PlanContract, ok bool) {
	shared := 0
	for i := range contracts {
		c := &contracts[i]
		if i > 0 && compareContracts(contracts[i-1], *c) >= 0 {
			return nil, false
		}
		at, found := slices.BinarySearchFunc(d.Contracts, *c, compareContracts)
		switch {
		case !found:
			own = append(own, *c)
		case !equality.Semantic.DeepEqual(*c, d.Contracts[at]):
			return nil, false
		default:
			shared++
		}
	}
	ref.Contracts = shared > 0
	return own, shared == 0 || shared == len(d.Contracts)
}

// Join is the whole plan from its stored part and the definition. It fails if the definition is not this Consortium's. The plan
// shares memory with both.
func (d *Definition) Join(own *MemberPlanSpec) (MemberPlanSpec, error) {
	spec, ref := *own, own.Definition
	if ref == nil {
		return spec, nil
	}
	if d.Consortium != own.Consortium || d.ConsortiumNamespace != own.ConsortiumNamespace {
		return spec, fmt.Errorf("it is that of consortium %.64q in namespace %.64q", d.Consortium, d.ConsortiumNamespace)
	}
	if most := len(d.Members); len(ref.Records) > most || len(ref.Holdings) > most {
		return spec, fmt.Errorf("it has %d members, and the plan statements of more", most)
	}
	spec.Definition, spec.Ledger, spec.Members = nil, d.Ledger, slices.Clone(d.Members)
	for i, digest := range ref.Records {
		spec.Members[i].Record = digest
	}
	for i, digest := range ref.Holdings {
		spec.Members[i].Holdings = digest
	}
	spec.Channels = d.joinChannels(own.Channels)
	if ref.Contracts {
		spec.Contracts = slices.Concat(d.Contracts, own.Contracts)
		slices.SortFunc(spec.Contracts, compareContracts)
	}
	return spec, nil
}

func (d *Definition) joinChannels(own []PlanChannel) []PlanChannel {
	all := slices.Grow(slices.Clone(d.Channels), len(own))
	for _, c := range own {
		at, found := slices.BinarySearchFunc(d.Channels, c.Name, func(c PlanChannel, name string) int { return cmp.Compare(c.Name, name) })
		if found {
			all[at].Genesis, all[at].GenesisRequested = c.Genesis, c.GenesisRequested
		} else {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b PlanChannel) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func compareContracts(a, b PlanContract) int {
	return cmp.Or(cmp.Compare(a.Channel, b.Channel), strings.Compare(a.Name, b.Name))
}
