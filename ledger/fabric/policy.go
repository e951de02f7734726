package fabric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/policytext"
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
	if words := implicitRules[endorsementRule(channel.Endorsement)]; words != "" {
		policies[configtx.EndorsementPolicyKey] = implicit(words, configtx.EndorsementPolicyKey)
		return policies, nil
	}
	rule, err := channelRule(mspIDsOf(plan), channel)
	if err != nil {
		return nil, err
	}
	policies[configtx.EndorsementPolicyKey] = configtx.Policy{Type: configtx.SignaturePolicyType, Rule: rule}
	return policies, nil
}

// implicitRules are those of a channel that follow it when it takes in members.
var implicitRules = map[v1alpha1.EndorsementRule]string{
	v1alpha1.EndorseMajority: "MAJORITY", v1alpha1.EndorseAll: "ALL", v1alpha1.EndorseAny: "ANY",
}

// textRule stands for a policy in Fabric's own text.
const textRule v1alpha1.EndorsementRule = "Text"

func endorsementRule(policy v1alpha1.EndorsementPolicy) v1alpha1.EndorsementRule {
	switch {
	case policy.Policy != "":
		return textRule
	case policy.Rule == "":
		return v1alpha1.EndorseMajority
	}
	return policy.Rule
}

// channelRule spells a channel's own endorsement policy out.
func channelRule(ids func(member string) string, channel v1alpha1.PlanChannel) (string, error) {
	node, err := signaturePolicy(ids, channel.Name, channel.Members, channel.Members, channel.Endorsement)
	if err != nil {
		return "", err
	}
	return node.String(), nil
}

// signaturePolicy spells a policy out. Rules are meant among some members; a policy may name any of the channel's, each once.
func signaturePolicy(ids func(member string) string, channel string, all, among []string, policy v1alpha1.EndorsementPolicy) (*policytext.Node, error) {
	if policy.Policy != "" {
		return namedPolicy(ids, channel, all, policy.Policy)
	}
	members, count := among, int(policy.Count)
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
		return nil, fmt.Errorf("the endorsement rule %.64q is not known: use Majority, All, Any or OutOf", policy.Rule)
	}
	named, err := namesOf(ids, channel, all, members)
	if err != nil {
		return nil, err
	}
	if count < 1 || count > len(named) {
		return nil, fmt.Errorf("the endorsement policy asks for %d of %d members: it can never be met", count, len(named))
	}
	return policytext.OutOf(count, named), nil
}

// namesOf are the MSP IDs of some of a channel's members, in the order of the members' names. Nobody counts twice.
func namesOf(ids func(member string) string, channel string, all, members []string) ([]string, error) {
	sorted := slices.Sorted(slices.Values(members))
	var named []string
	for _, member := range sorted {
		id := ids(member)
		switch {
		case !slices.Contains(all, member):
			return nil, fmt.Errorf("the policy names %.64s, which is not in channel %s: name members of the channel", member, channel)
		case slices.Contains(named, id):
			return nil, fmt.Errorf("the policy names %.64s (%.64s) twice: name everybody once", member, id)
		}
		named = append(named, id)
	}
	return named, nil
}

// namedPolicy reads a policy in Fabric's text, among a channel's members.
func namedPolicy(ids func(member string) string, channel string, all []string, text string) (*policytext.Node, error) {
	node, err := policytext.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the endorsement policy of channel %s or its contract: %w", channel, err)
	}
	known, err := namesOf(ids, channel, all, all)
	if err != nil {
		return nil, err
	}
	for _, principal := range node.Principals() {
		if !slices.Contains(known, principal.MSPID) {
			return nil, fmt.Errorf("the endorsement policy names %.64s, which is the MSP ID of no member of channel %s", principal.MSPID, channel)
		}
	}
	return node, nil
}

// contractPolicy refers to the channel's policy where the contract's is the same, so that it follows the channel when
// that takes in members.
func contractPolicy(ids func(member string) string, channel v1alpha1.PlanChannel, policy v1alpha1.EndorsementPolicy) (*peer.ApplicationPolicy, error) {
	node, err := signaturePolicy(ids, channel.Name, channel.Members, channel.Members, policy)
	if err != nil {
		return nil, err
	}
	if samePolicy(channel.Endorsement, policy) {
		return &peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_ChannelConfigPolicyReference{
			ChannelConfigPolicyReference: channelEndorsement,
		}}, nil
	}
	envelope, err := envelopeOf(node)
	if err != nil {
		return nil, err
	}
	return &peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: envelope}}, nil
}

func samePolicy(a, b v1alpha1.EndorsementPolicy) bool {
	if endorsementRule(a) != endorsementRule(b) || a.Policy != b.Policy {
		return false
	}
	if endorsementRule(a) != v1alpha1.EndorseOutOf {
		return true
	}
	return a.Count == b.Count &&
		slices.Equal(slices.Sorted(slices.Values(a.Members)), slices.Sorted(slices.Values(b.Members)))
}

var mspRoles = map[string]msp.MSPRole_MSPRoleType{
	"member": msp.MSPRole_MEMBER, "admin": msp.MSPRole_ADMIN, "client": msp.MSPRole_CLIENT,
	"peer": msp.MSPRole_PEER, "orderer": msp.MSPRole_ORDERER,
}

// envelopeOf writes a policy as Fabric's own reader of policy texts does.
func envelopeOf(node *policytext.Node) (*common.SignaturePolicyEnvelope, error) {
	envelope := &common.SignaturePolicyEnvelope{}
	rule, err := addRule(envelope, node)
	envelope.Rule = rule
	return envelope, err
}

func addRule(envelope *common.SignaturePolicyEnvelope, node *policytext.Node) (*common.SignaturePolicy, error) {
	if len(node.Of) == 0 {
		principal, err := proto.Marshal(&msp.MSPRole{MspIdentifier: node.MSPID, Role: mspRoles[node.Role]})
		if err != nil {
			return nil, err
		}
		at := int32(len(envelope.GetIdentities()))
		envelope.Identities = append(envelope.Identities, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: principal})
		return &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: at}}, nil
	}
	gate := &common.SignaturePolicy_NOutOf{N: int32(node.Count), Rules: make([]*common.SignaturePolicy, len(node.Of))}
	// Fabric's reader numbers what is within inner gates first.
	for _, inner := range []bool{true, false} {
		for i, part := range node.Of {
			if (len(part.Of) > 0) != inner {
				continue
			}
			rule, err := addRule(envelope, part)
			if err != nil {
				return nil, err
			}
			gate.Rules[i] = rule
		}
	}
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: gate}}, nil
}
