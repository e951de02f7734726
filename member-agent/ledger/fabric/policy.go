package fabric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// channelEndorsement is the policy that a contract refers to when its rule is the channel's own.
const channelEndorsement = "/Channel/Application/" + configtx.EndorsementPolicyKey

// anyRole is a rule that is met by one signature of an organization's identity with one of the roles.
func anyRole(id string, roles ...string) configtx.Policy {
	principals := make([]string, len(roles))
	for i, role := range roles {
		principals[i] = "'" + id + "." + role + "'"
	}
	return configtx.Policy{Type: configtx.SignaturePolicyType, Rule: "OR(" + strings.Join(principals, ", ") + ")"}
}

func implicit(rule, of string) configtx.Policy {
	return configtx.Policy{Type: configtx.ImplicitMetaPolicyType, Rule: rule + " " + of}
}

// groupPolicies are those of a group of organizations: one may read or write, more than half have to agree to a change.
func groupPolicies() map[string]configtx.Policy {
	return map[string]configtx.Policy{
		configtx.ReadersPolicyKey: implicit("ANY", configtx.ReadersPolicyKey),
		configtx.WritersPolicyKey: implicit("ANY", configtx.WritersPolicyKey),
		configtx.AdminsPolicyKey:  implicit("MAJORITY", configtx.AdminsPolicyKey),
	}
}

func applicationPolicies(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel) (map[string]configtx.Policy, error) {
	policies := groupPolicies()
	policies[configtx.LifecycleEndorsementPolicyKey] = implicit("MAJORITY", configtx.EndorsementPolicyKey)
	switch endorsementRule(channel.Endorsement) {
	case v1alpha1.EndorseMajority:
		policies[configtx.EndorsementPolicyKey] = implicit("MAJORITY", configtx.EndorsementPolicyKey)
	case v1alpha1.EndorseAll:
		policies[configtx.EndorsementPolicyKey] = implicit("ALL", configtx.EndorsementPolicyKey)
	case v1alpha1.EndorseAny:
		policies[configtx.EndorsementPolicyKey] = implicit("ANY", configtx.EndorsementPolicyKey)
	default:
		rule, err := signatureRule(plan, channel, channel.Endorsement)
		if err != nil {
			return nil, err
		}
		policies[configtx.EndorsementPolicyKey] = configtx.Policy{Type: configtx.SignaturePolicyType, Rule: rule}
	}
	return policies, nil
}

func endorsementRule(policy v1alpha1.EndorsementPolicy) v1alpha1.EndorsementRule {
	if policy.Rule == "" {
		return v1alpha1.EndorseMajority
	}
	return policy.Rule
}

// signatureRule spells a policy out as a number of signatures of peers.
func signatureRule(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel, policy v1alpha1.EndorsementPolicy) (string, error) {
	members, count := channel.Members, int(policy.Count)
	switch endorsementRule(policy) {
	case v1alpha1.EndorseMajority:
		count = len(members)/2 + 1
	case v1alpha1.EndorseAll:
		count = len(members)
	case v1alpha1.EndorseAny:
		count = 1
	case v1alpha1.EndorseOutOf:
		members = policy.Members
	default:
		return "", fmt.Errorf("the endorsement rule %q is not known: use Majority, All, Any or OutOf", policy.Rule)
	}
	members = slices.Sorted(slices.Values(members))
	for _, member := range members {
		if !slices.Contains(channel.Members, member) {
			return "", fmt.Errorf("the endorsement policy names %s, which is not in channel %s: name members of the channel", member, channel.Name)
		}
	}
	if count < 1 || count > len(members) {
		return "", fmt.Errorf("the endorsement policy asks for %d of %d members: it can never be met", count, len(members))
	}
	principals := make([]string, len(members))
	for i, member := range members {
		principals[i] = "'" + MSPID(plan, member) + ".peer'"
	}
	return fmt.Sprintf("OutOf(%d, %s)", count, strings.Join(principals, ", ")), nil
}

// contractPolicy refers to the channel's policy where the contract's is the same, so that it follows the channel when
// that takes in members.
func contractPolicy(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel, policy v1alpha1.EndorsementPolicy) (*peer.ApplicationPolicy, error) {
	if samePolicy(channel.Endorsement, policy) {
		// fabric-admin-sdk wants a signature policy even where it makes a reference.
		return &peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_ChannelConfigPolicyReference{
			ChannelConfigPolicyReference: channelEndorsement,
		}}, nil
	}
	rule, err := signatureRule(plan, channel, policy)
	if err != nil {
		return nil, err
	}
	return chaincode.NewApplicationPolicy(rule, "")
}

func samePolicy(a, b v1alpha1.EndorsementPolicy) bool {
	if endorsementRule(a) != endorsementRule(b) {
		return false
	}
	if endorsementRule(a) != v1alpha1.EndorseOutOf {
		return true
	}
	return a.Count == b.Count &&
		slices.Equal(slices.Sorted(slices.Values(a.Members)), slices.Sorted(slices.Values(b.Members)))
}
