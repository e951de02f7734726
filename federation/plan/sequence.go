package plan

import (
	"cmp"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Sequence numbers a contract's definition on its channel.
type Sequence struct {
	// Number is the sequence that the definition has on the ledger, or will have next.
	Number int64
	// Hash of the definition that Number is for.
	Hash string
	// Settled is whether the ledger has held this definition under Number.
	Settled bool
	// Committed is the sequence that most of the channel's members have on their ledgers.
	Committed int64
	// Differs is how the definition on the ledger differs from this one, as most of them report; empty if it does not.
	Differs string
}

// ledgerView is what most of a channel's members report of a contract on the ledger. More than half of them have to report
// the same, so that no single member can increase the sequence.
type ledgerView struct {
	// known is whether most of them have read the ledger.
	known bool
	// sequence of what is committed; zero if nothing is.
	sequence int64
	// same is whether that is the definition that is planned; differs is how it is not.
	same    bool
	differs string
}

// nextSequence is a definition's sequence: the one that it has on the ledger, or the ledger's next one. A definition that is
// committed by other means later is left alone until the declaration changes; one that was committed earlier is replaced.
func nextSequence(in Input, contract *v1alpha1.Contract, planned v1alpha1.PlanContract, members []string) Sequence {
	s := Sequence{Hash: planned.DefinitionHash()}
	number, noted := contract.Status.Sequence, contract.Status.DefinitionHash == s.Hash
	for _, name := range members {
		// A sequence in a written plan counts even if it was not written to the Contract's status.
		for _, old := range planContracts(in.Plans[name]) {
			if old.Name == planned.Name && old.Channel == planned.Channel && old.Sequence > number {
				number, noted = old.Sequence, old.DefinitionHash() == s.Hash
			}
		}
	}
	view := viewOf(in, planned, s.Hash, members)
	s.Committed, s.Differs = view.sequence, view.differs
	settled := noted && contract.Status.Settled && number == contract.Status.Sequence
	switch {
	case !view.known:
		s.Number, s.Committed = max(number, 1), contract.Status.Committed
	case !noted || view.sequence < number:
		s.Number = view.sequence + 1
	case view.same:
		s.Number = view.sequence
	case view.differs != "" && !settled:
		s.Number = view.sequence + 1
	default:
		s.Number = number
	}
	s.Settled = view.same && view.sequence == s.Number || settled && s.Number == number
	return s
}

func planContracts(plan *v1alpha1.MemberPlan) []v1alpha1.PlanContract {
	if plan == nil {
		return nil
	}
	return plan.Spec.Contracts
}

// viewOf aggregates the members' reports. Whether the definition is the same counts only if the report is about this
// definition and the ledger's current sequence.
func viewOf(in Input, contract v1alpha1.PlanContract, hash string, members []string) ledgerView {
	var reports []v1alpha1.PlanContractStatus
	for _, name := range members {
		if plan := in.Plans[name]; plan != nil {
			for _, c := range plan.Status.Contracts {
				if c.Name == contract.Name && c.Channel == contract.Channel && c.Definition != "" {
					reports = append(reports, c)
				}
			}
		}
	}
	view := ledgerView{known: 2*len(reports) > len(members)}
	if !view.known {
		return view
	}
	slices.SortFunc(reports, func(a, b v1alpha1.PlanContractStatus) int { return cmp.Compare(b.Committed, a.Committed) })
	view.sequence = max(0, reports[min(len(members)/2, len(reports)-1)].Committed)
	same, differ := 0, ""
	differing := 0
	for _, c := range reports {
		switch {
		case c.Definition != hash || c.Committed < max(view.sequence, 1):
		case c.Differs == "":
			same++
		default:
			differing++
			differ = cmp.Or(differ, c.Differs)
		}
	}
	view.same = 2*same > len(members)
	if 2*differing > len(members) {
		view.differs = differ
	}
	return view
}
