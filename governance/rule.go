package governance

import (
	"fmt"
	"maps"
	"slices"
)

// Threshold is how many of the members a decision takes.
type Threshold string

const (
	// Majority is more than half.
	Majority Threshold = "Majority"
	// TwoThirds is two thirds or more.
	TwoThirds Threshold = "TwoThirds"
	// All is every member.
	All Threshold = "All"
	// AtLeast is a number of them, which the rule names; of fewer members it is all.
	AtLeast Threshold = "AtLeast"
)

// of is the threshold among n members.
func (t Threshold) of(n, number int) int {
	switch t {
	case All:
		return n
	case TwoThirds:
		return (2*n + 2) / 3
	case AtLeast:
		return min(n, number)
	default:
		return n/2 + 1
	}
}

// Rule says whose consent a kind of change needs.
type Rule struct {
	// Approvals that accept a proposal, of all members' votes. A member that is to be removed has none in that.
	Approvals Threshold `json:"approvals"`
	// Number of approvals, with AtLeast.
	Number int `json:"number,omitempty"`
	// Proposers are the members that may propose it, sorted; every member if there are none.
	Proposers []string `json:"proposers,omitempty"`
}

// Rules by kind of change. AnyOther is for the kinds that have none of their own.
type Rules map[Kind]Rule

// rule for a kind of change.
func (r Rules) rule(kind Kind) Rule {
	if own, found := r[kind]; found {
		return own
	}
	return r[AnyOther]
}

// validate checks rules that a charter or a proposal sets, for these members.
func (r Rules) validate(members []Member) error {
	if _, found := r[AnyOther]; !found {
		return invalid("rules: there is none for %s: add one, which holds for every kind of change that has none of its own", AnyOther)
	}
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		if kind != AnyOther && !slices.Contains(Kinds, kind) {
			return invalid("rules: %.40q is not a kind of change: write one of %v or %s", kind, Kinds, AnyOther)
		}
		if err := r[kind].validate(members); err != nil {
			return fmt.Errorf("rule for %s: %w", kind, err)
		}
	}
	return nil
}

func (r Rule) validate(members []Member) error {
	switch r.Approvals {
	case Majority, TwoThirds, All:
		if r.Number != 0 {
			return invalid("number goes with approvals: %s only: leave it out", AtLeast)
		}
	case AtLeast:
		if r.Number < 1 || r.Number > maxMembers {
			return invalid("number is %d: give one from 1 to %d", r.Number, maxMembers)
		}
	default:
		return invalid("approvals: %.40q: write %s, %s, %s or %s", r.Approvals, Majority, TwoThirds, All, AtLeast)
	}
	if err := sortedNames("proposers", r.Proposers); err != nil {
		return err
	}
	for _, name := range r.Proposers {
		if indexOf(members, name) < 0 {
			return invalid("proposers: %s is not a member", name)
		}
	}
	return nil
}

// mayPropose is whether a member may propose a change under the rule.
func (r Rule) mayPropose(member string) bool {
	return len(r.Proposers) == 0 || slices.Contains(r.Proposers, member)
}
