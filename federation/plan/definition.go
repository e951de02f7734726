package plan

import (
	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxInline is the size of a definition, in bytes, up to which it is stored in each plan: half a dozen Members with a few
// channels. A definition of its own costs a write before those of the plans, and each agent a read; it saves its size in every
// plan, which is more than that in a large consortium only.
const maxInline = 8 << 10

// define is what all plans of a Consortium share: the channels that concern all of its Members, and the contracts on those that
// all are members of. Others are not for all to read.
func define(in Input, res *Result, members []v1alpha1.PlanMember, contracts []v1alpha1.PlanContract) *v1alpha1.Definition {
	ledger := in.Planner.Ledger(in.Consortium.Spec.Ledger)
	d := &v1alpha1.Definition{Consortium: in.Consortium.Name, ConsortiumNamespace: in.Consortium.Namespace, Ledger: *ledger.DeepCopy()}
	for i := range members {
		d.Members = append(d.Members, v1alpha1.WithoutStatements(*members[i].DeepCopy()))
	}
	every := len(in.Consortium.Spec.Members)
	shared := map[string]Channel{}
	for name, c := range res.Resolved {
		if len(c.Concerned()) == every {
			shared[name] = c
		}
	}
	for _, c := range sortedChannels(shared) {
		d.Channels = append(d.Channels, v1alpha1.WithoutOwnPart(*c.DeepCopy()))
	}
	for i := range contracts {
		if c, ok := shared[contracts[i].Channel]; ok && len(c.Members) == every {
			d.Contracts = append(d.Contracts, *contracts[i].DeepCopy())
		}
	}
	return d
}

// Stored are the plans as they are to be stored, and the definition that they refer to; nil if they are small enough without.
func Stored(res Result) (map[string]v1alpha1.MemberPlanSpec, *v1alpha1.ConsortiumDefinitionSpec) {
	if res.Definition == nil {
		return res.Plans, nil
	}
	definition := res.Definition.Encode()
	if len(definition.Content) <= maxInline {
		return res.Plans, nil
	}
	plans := make(map[string]v1alpha1.MemberPlanSpec, len(res.Plans))
	for member, spec := range res.Plans {
		own, ok := res.Definition.Split(&spec, definition.Digest)
		if !ok {
			own = spec
		}
		plans[member] = own
	}
	return plans, &definition
}

// Join are the whole plans from the stored ones, which it does not change, and the definition that is stored; nil if none is.
// One that refers to another definition is joined with this all the same: it is newer, or the plan's is lost, and what has been
// decided before, such as the hashes of first blocks, is in it. Such a plan keeps its reference and has no ledger, so that it
// counts nowhere as one that is up to date.
func Join(stored map[string]*v1alpha1.MemberPlan, definition *v1alpha1.ConsortiumDefinition) map[string]*v1alpha1.MemberPlan {
	var shared *v1alpha1.Definition
	plans := make(map[string]*v1alpha1.MemberPlan, len(stored))
	for member, p := range stored {
		if p.Spec.Definition != nil {
			if shared == nil {
				shared = decoded(definition)
			}
			p = joined(p, shared, definition)
		}
		plans[member] = p
	}
	return plans
}

// decoded is a stored definition; empty if there is none, or not one that this controller has written.
func decoded(definition *v1alpha1.ConsortiumDefinition) *v1alpha1.Definition {
	if definition != nil {
		if d, err := definition.Spec.Decode(); err == nil {
			return d
		}
	}
	return &v1alpha1.Definition{}
}

func joined(p *v1alpha1.MemberPlan, shared *v1alpha1.Definition, definition *v1alpha1.ConsortiumDefinition) *v1alpha1.MemberPlan {
	whole := *p
	spec, err := shared.Join(&p.Spec)
	if err != nil {
		// What is in the plan beside its references to the definition's channels.
		spec.Channels = nil
		for _, c := range p.Spec.Channels {
			if len(c.Members) > 0 {
				spec.Channels = append(spec.Channels, c)
			}
		}
	}
	if whole.Spec = spec; err != nil || definition.Spec.Digest != p.Spec.Definition.Digest {
		whole.Spec.Definition, whole.Spec.Ledger = p.Spec.Definition, v1alpha1.LedgerSpec{}
	}
	return &whole
}
