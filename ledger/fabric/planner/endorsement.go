package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/policytext"
)

// Endorsement fills in a policy's defaults.
func (Planner) Endorsement(policy *v1alpha1.EndorsementPolicy) v1alpha1.EndorsementPolicy {
	p := ptr.Deref(policy, v1alpha1.EndorsementPolicy{})
	p.Members = slices.Clone(p.Members)
	slices.Sort(p.Members)
	if p.Policy == "" {
		p.Rule = cmp.Or(p.Rule, v1alpha1.EndorseMajority)
	} else if parsed, err := policytext.Parse(p.Policy); err == nil {
		// Normalized: a change of spaces or spelling is not a new definition.
		p.Policy = parsed.String()
	}
	return p
}

// CheckEndorsement says what is wrong with a policy among a channel's members; empty if it can be satisfied. Only a
// member that runs a peer can endorse.
func (Planner) CheckEndorsement(policy v1alpha1.EndorsementPolicy, members []ledger.Organization) string {
	if policy.Policy != "" {
		return checkPolicyText(policy.Policy, members)
	}
	var candidates []string
	for _, m := range members {
		candidates = append(candidates, m.Member)
	}
	needed := 1
	switch policy.Rule {
	case v1alpha1.EndorseMajority:
		needed = len(members)/2 + 1
	case v1alpha1.EndorseAll:
		needed = len(members)
	case v1alpha1.EndorseOutOf:
		candidates, needed = policy.Members, int(policy.Count)
	}
	able := 0
	for _, name := range candidates {
		member, known := find(members, name)
		if !known {
			return fmt.Sprintf("the endorsement policy names %s, which is not in the channel: such a policy can never be met; name members of the channel only", name)
		}
		if peers(member) > 0 {
			able++
		}
	}
	if able < needed {
		return fmt.Sprintf("the endorsement policy asks for %d members, but only %d of those that it counts run a peer: such a policy can never be met; ask for fewer, or let more members run peers", needed, able)
	}
	return ""
}

// checkPolicyText says what is wrong with a policy in Fabric's text; empty if it can be satisfied.
func checkPolicyText(text string, members []ledger.Organization) string {
	policy, err := policytext.Parse(text)
	if err != nil {
		return "endorsement.policy: " + err.Error()
	}
	endorses, ids := map[string]bool{}, []string{}
	for _, m := range members {
		endorses[m.ID] = peers(m) > 0
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	for _, principal := range policy.Principals() {
		if _, known := endorses[principal.MSPID]; !known {
			return fmt.Sprintf("endorsement.policy names %s, which is the MSP ID of no member of the channel: those are %s", principal.MSPID, strings.Join(ids, ", "))
		}
	}
	able := func(p *policytext.Node) bool {
		return endorses[p.MSPID] && (p.Role == policytext.RolePeer || p.Role == policytext.RoleMember)
	}
	if !policy.Met(able) {
		return "endorsement.policy can never be met: only peers endorse, which have the roles peer and member, and only members that run one; name fewer, or let more members run peers"
	}
	return ""
}
