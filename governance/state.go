package governance

import (
	"maps"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// State is what is in force in a Consortium after an entry of its log. It is a value: Apply makes another one.
type State struct {
	Consortium string
	Ledger     v1alpha1.LedgerType
	// Charter is the digest of the charter.
	Charter string
	// Position of the last entry, 0 after the charter, and its digest, or the charter's.
	Position int64
	Head     string
	Members  []Member
	Rules    Rules
	Quorum   Threshold
	// Channels by name; an archived one is still there.
	Channels map[string]Channel
	Archived map[string]bool
	// Contracts by channel and name.
	Contracts map[ContractKey]Contract
	// Dissolved is set when the Consortium has ended. Nothing follows.
	Dissolved *Dissolution
}

// ContractKey is what a contract is known by.
type ContractKey struct{ Channel, Name string }

// NewState is what is in force once every founder has signed a charter with this payload.
func NewState(charter *Charter, payload []byte) *State {
	digest := CharterDigest(payload)
	return &State{
		Consortium: charter.Consortium, Ledger: charter.Ledger, Charter: digest, Head: digest, Members: charter.Members,
		Rules: charter.Rules, Quorum: charter.Quorum, Channels: map[string]Channel{}, Archived: map[string]bool{},
		Contracts: map[ContractKey]Contract{},
	}
}

// Names of the members, sorted.
func (s *State) Names() []string {
	names := make([]string, 0, len(s.Members))
	for _, m := range s.Members {
		names = append(names, m.Name)
	}
	return names
}

// Roots of a member; none if it is no member.
func (s *State) Roots(member string) []string {
	if at := indexOf(s.Members, member); at >= 0 {
		return s.Members[at].Roots
	}
	return nil
}

// QuorumSize is how many members have to agree on the next entry.
func (s *State) QuorumSize() int { return s.Quorum.of(len(s.Members), 0) }

// Apply is what is in force after a proposal. It is an error if the proposal cannot follow.
func (s *State) Apply(p *Proposal) (*State, error) {
	if err := s.follows(p); err != nil {
		return nil, err
	}
	next := *s
	next.Channels, next.Archived, next.Contracts = maps.Clone(s.Channels), maps.Clone(s.Archived), maps.Clone(s.Contracts)
	next.Position, next.Head = p.Position, p.Digest
	c := &p.Change
	var err error
	switch p.Kind {
	case KindAddMember:
		err = next.addMember(*c.AddMember)
	case KindRemoveMember:
		err = next.removeMember(c.RemoveMember)
	case KindSetRoots:
		err = next.setRoots(*c.SetRoots)
	case KindSetRules:
		if err = validateQuorum(c.SetRules.Quorum); err == nil {
			next.Rules, next.Quorum, err = c.SetRules.Rules, c.SetRules.Quorum, c.SetRules.Rules.validate(s.Members)
		}
	case KindSetChannel:
		err = next.setChannel(*c.SetChannel)
	case KindArchiveChannel:
		if _, found := next.Channels[c.ArchiveChannel]; !found {
			err = invalid("there is no channel %.60q to archive", c.ArchiveChannel)
		}
		next.Archived[c.ArchiveChannel] = true
	case KindSetContract:
		err = next.setContract(*c.SetContract)
	case KindDissolve:
		next.Dissolved = c.Dissolve
	}
	if err != nil {
		return nil, err
	}
	return &next, nil
}

// follows checks that a proposal is for the position after the last one, and that its proposer may make it.
func (s *State) follows(p *Proposal) error {
	switch {
	case s.Dissolved != nil:
		return invalid("the consortium is dissolved, and nothing follows")
	case p.Charter != s.Charter:
		return invalid("the proposal is for another charter than %s", s.Charter)
	case p.Position != s.Position+1 || p.Previous != s.Head:
		return notNext(s, p)
	case indexOf(s.Members, p.Proposer) < 0:
		return invalid("%s proposes, and is not a member", p.Proposer)
	case !s.Rules.rule(p.Kind).mayPropose(p.Proposer):
		return invalid("%s proposes, where the rule for %s lets only %s do so", p.Proposer, p.Kind, strings.Join(s.Rules.rule(p.Kind).Proposers, ", "))
	}
	return nil
}

func (s *State) addMember(m Member) error {
	if err := m.validate(); err != nil {
		return err
	}
	if indexOf(s.Members, m.Name) >= 0 {
		return invalid("%s is a member already", m.Name)
	}
	if len(s.Members) == maxMembers {
		return invalid("there are %d members, which is as many as there can be", maxMembers)
	}
	s.Members = append(slices.Clone(s.Members), m)
	slices.SortFunc(s.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// removeMember takes a member out of the Consortium, its channels, and the rules.
func (s *State) removeMember(name string) error {
	at := indexOf(s.Members, name)
	switch {
	case at < 0:
		return invalid("%.60q is not a member", name)
	case len(s.Members) == 1:
		return invalid("%s is the only member: dissolve the consortium instead", name)
	}
	s.Members = slices.Delete(slices.Clone(s.Members), at, at+1)
	s.Rules = maps.Clone(s.Rules)
	for kind, rule := range s.Rules {
		proposers := without(rule.Proposers, name)
		if len(proposers) == 0 && len(rule.Proposers) > 0 {
			return invalid("%s is the only one that may propose %s: change the rules first", name, kind)
		}
		rule.Proposers = proposers
		s.Rules[kind] = rule
	}
	for channel, c := range s.Channels {
		if s.Archived[channel] {
			continue
		}
		c.Members, c.Orderers = without(c.Members, name), without(c.Orderers, name)
		switch {
		case len(c.Members) == 0 || len(c.Orderers) == 0:
			return invalid("channel %s would be left without members or orderers: archive or change it first", channel)
		case slices.Contains(c.Endorsement.Members, name):
			return invalid("channel %s: its endorsement policy names %s: change it first", channel, name)
		case c.Leader == name:
			c.Leader = c.Members[0]
		}
		s.Channels[channel] = c
	}
	return s.contractsWithout(name)
}

func (s *State) contractsWithout(name string) error {
	for key, c := range s.Contracts {
		if s.Archived[key.Channel] {
			continue
		}
		named := slices.Contains(c.Endorsement.Members, name)
		for _, collection := range c.Collections {
			named = named || slices.Contains(collection.Members, name)
		}
		if named {
			return invalid("contract %s on channel %s: its endorsement policy or a collection names %s: change it first", key.Name, key.Channel, name)
		}
	}
	return nil
}

func (s *State) setRoots(m Member) error {
	if err := m.validate(); err != nil {
		return err
	}
	at := indexOf(s.Members, m.Name)
	if at < 0 {
		return invalid("%s is not a member", m.Name)
	}
	s.Members = slices.Clone(s.Members)
	s.Members[at] = m
	return nil
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}
