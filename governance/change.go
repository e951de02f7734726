package governance

import (
	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Kind of a change, for which the charter has a rule.
type Kind string

const (
	// KindAddMember: an organization joins.
	KindAddMember Kind = "AddMember"
	// KindRemoveMember: an organization leaves, or is removed against its will.
	KindRemoveMember Kind = "RemoveMember"
	// KindSetRoots: an organization's root certificates are others from now on.
	KindSetRoots Kind = "SetRoots"
	// KindSetRules: decisions take other majorities from now on.
	KindSetRules Kind = "SetRules"
	// KindSetChannel: a channel is made, or has other members or rules from now on.
	KindSetChannel Kind = "SetChannel"
	// KindArchiveChannel: a channel is used no more. Its ledger stays.
	KindArchiveChannel Kind = "ArchiveChannel"
	// KindSetContract: a contract is deployed, upgraded or rolled back.
	KindSetContract Kind = "SetContract"
	// KindDissolve: the Consortium ends.
	KindDissolve Kind = "Dissolve"
	// AnyOther stands in Rules for every kind that has no rule of its own.
	AnyOther Kind = "AnyOther"
)

// Kinds are all kinds of change.
var Kinds = []Kind{
	KindAddMember, KindRemoveMember, KindSetRoots, KindSetRules, KindSetChannel, KindArchiveChannel, KindSetContract, KindDissolve,
}

// Change is one change of what is in force; exactly one of its fields is set. It has the whole of what it defines, with every
// default filled in, so that nobody has to be asked what was meant.
type Change struct {
	AddMember      *Member      `json:"addMember,omitempty"`
	RemoveMember   string       `json:"removeMember,omitempty"`
	SetRoots       *Member      `json:"setRoots,omitempty"`
	SetRules       *SetRules    `json:"setRules,omitempty"`
	SetChannel     *Channel     `json:"setChannel,omitempty"`
	ArchiveChannel string       `json:"archiveChannel,omitempty"`
	SetContract    *Contract    `json:"setContract,omitempty"`
	Dissolve       *Dissolution `json:"dissolve,omitempty"`
}

// SetRules replaces the charter's rules.
type SetRules struct {
	Rules  Rules     `json:"rules"`
	Quorum Threshold `json:"quorum"`
}

// Channel is a channel in full.
type Channel struct {
	Name string `json:"name"`
	// Members of it, sorted, and Orderers, those of the Consortium's members that order its blocks.
	Members  []string `json:"members"`
	Orderers []string `json:"orderers"`
	// Leader makes its first block.
	Leader      string                     `json:"leader"`
	Endorsement v1alpha1.EndorsementPolicy `json:"endorsement"`
	Batch       v1alpha1.Batch             `json:"batch"`
}

// Contract is the definition of a contract on a channel.
type Contract struct {
	Channel string `json:"channel"`
	Name    string `json:"name"`
	Version string `json:"version"`
	// Image with its digest: a tag can be moved by whoever has the registry.
	Image       string                     `json:"image"`
	Endorsement v1alpha1.EndorsementPolicy `json:"endorsement"`
	// Collections sorted by name.
	Collections []v1alpha1.Collection `json:"collections,omitempty"`
	// TLS is whether the peers speak TLS to it.
	TLS bool `json:"tls,omitempty"`
}

// Dissolution ends a Consortium.
type Dissolution struct {
	// DeleteVolumes lets the nodes' volumes go with them. An organization may keep its own all the same.
	DeleteVolumes bool `json:"deleteVolumes"`
}

// Kind of the change. It is an error unless exactly one is set.
func (c *Change) Kind() (Kind, error) {
	kind, set := Kind(""), 0
	for _, one := range []struct {
		kind Kind
		set  bool
	}{
		{KindAddMember, c.AddMember != nil}, {KindRemoveMember, c.RemoveMember != ""}, {KindSetRoots, c.SetRoots != nil},
		{KindSetRules, c.SetRules != nil}, {KindSetChannel, c.SetChannel != nil}, {KindArchiveChannel, c.ArchiveChannel != ""},
		{KindSetContract, c.SetContract != nil}, {KindDissolve, c.Dissolve != nil},
	} {
		if one.set {
			kind = one.kind
			set++
		}
	}
	if set != 1 {
		return "", invalid("a proposal has exactly one change, and this one has %d", set)
	}
	return kind, nil
}
