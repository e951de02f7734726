package fabric

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// definitionOf is a contract's definition as it is approved and committed: what is hashed for a person's approval and what is
// signed both come from here.
func definitionOf(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (*chaincode.Definition, error) {
	channel, found := channelOf(plan, contract.Channel)
	if !found {
		return nil, fmt.Errorf("contract %s is for channel %s, which is not in the plan", contract.Name, contract.Channel)
	}
	ids := mspIDsOf(plan)
	policy, err := contractPolicy(ids, channel, contract.Endorsement)
	if err != nil {
		return nil, err
	}
	collections, err := collectionsOf(ids, channel, contract.Collections)
	if err != nil {
		return nil, err
	}
	return &chaincode.Definition{
		ChannelName: contract.Channel, Name: contract.Name, Version: contract.Version, Sequence: contract.Sequence,
		EndorsementPlugin: defaultEndorsement, ValidationPlugin: defaultValidation,
		ApplicationPolicy: policy, Collections: collections,
	}, nil
}

// Definition is the hex SHA-256 of everything that an approval of a contract binds the Member to: the definition, byte for byte
// as it goes to the ledger; the whole PlanContract, but for how much of the Member's machines it uses; the channel's members
// with their MSP IDs, and the channel's own policy, to which the definition may refer. Pure.
func (*Driver) Definition(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) (string, error) {
	d, err := definitionOf(plan, contract)
	if err != nil {
		return "", err
	}
	channel, _ := channelOf(plan, contract.Channel)
	ids := mspIDsOf(plan)
	rule, err := channelRule(ids, channel)
	if err != nil {
		return "", err
	}
	var members []string
	for _, member := range slices.Sorted(slices.Values(channel.Members)) {
		members = append(members, member+" "+ids(member))
	}
	parameter, err := deterministic.Marshal(d.ApplicationPolicy)
	if err != nil {
		return "", err
	}
	collections, err := deterministic.Marshal(d.Collections)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(struct {
		Consortium, Channel, Name, Version, EndorsementPlugin, ValidationPlugin, Definition, ChannelRule string
		Sequence                                                                                         int64
		InitRequired                                                                                     bool
		Members                                                                                          []string
		Parameter, Collections                                                                           []byte
	}{
		plan.Spec.Consortium, d.ChannelName, d.Name, d.Version, d.EndorsementPlugin, d.ValidationPlugin, contract.DefinitionHash(), rule,
		d.Sequence, d.InitRequired, members, parameter, collections,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

var deterministic = proto.MarshalOptions{Deterministic: true}

// The plugins that Fabric fills in where a definition names none.
const (
	defaultEndorsement = "escc"
	defaultValidation  = "vscc"
)

// mspIDsOf gives the names on the ledger of a plan's members.
func mspIDsOf(plan *v1alpha1.MemberPlan) func(member string) string { return plan.Spec.MSPID }

// committed is a definition on the ledger, or one that the Member has approved: both have the same parts.
type committed interface {
	GetSequence() int64
	GetVersion() string
	GetEndorsementPlugin() string
	GetValidationPlugin() string
	GetValidationParameter() []byte
	GetCollections() *peer.CollectionConfigPackage
	GetInitRequired() bool
}

var (
	_ committed = (*lifecycle.QueryChaincodeDefinitionResult)(nil)
	_ committed = (*lifecycle.QueryApprovedChaincodeDefinitionResult)(nil)
)

// differences says in what a definition on the ledger is not the one that is declared; sequences apart. The parts are those
// that the ledger has, all of them.
func differences(have committed, want *chaincode.Definition) []string {
	var parts []string
	differ := func(what, have, want string) {
		if have != want {
			parts = append(parts, fmt.Sprintf("%s %.64s on the ledger, %.64s declared", what, have, want))
		}
	}
	differ("version", have.GetVersion(), want.Version)
	differ("endorsement plugin", cmp.Or(have.GetEndorsementPlugin(), defaultEndorsement), want.EndorsementPlugin)
	differ("validation plugin", cmp.Or(have.GetValidationPlugin(), defaultValidation), want.ValidationPlugin)
	if have.GetInitRequired() != want.InitRequired {
		parts = append(parts, fmt.Sprintf("init required is %t on the ledger, %t declared", have.GetInitRequired(), want.InitRequired))
	}
	if !samePolicyBytes(have.GetValidationParameter(), want.ApplicationPolicy) {
		parts = append(parts, fmt.Sprintf("endorsement policy %.200s on the ledger, %.200s declared", policyTextOf(have.GetValidationParameter()), policyText(want.ApplicationPolicy)))
	}
	return append(parts, collectionDifferences(byName(have.GetCollections()), byName(want.Collections))...)
}

func samePolicyBytes(raw []byte, want *peer.ApplicationPolicy) bool {
	have := &peer.ApplicationPolicy{}
	if err := proto.Unmarshal(raw, have); err != nil {
		return false
	}
	return proto.Equal(have, want)
}

func byName(collections *peer.CollectionConfigPackage) map[string]*peer.StaticCollectionConfig {
	all := map[string]*peer.StaticCollectionConfig{}
	for _, config := range collections.GetConfig() {
		static := config.GetStaticCollectionConfig()
		all[static.GetName()] = static
	}
	return all
}

func collectionDifferences(have, want map[string]*peer.StaticCollectionConfig) []string {
	var parts []string
	for name, on := range have {
		declared := want[name]
		switch {
		case declared == nil:
			parts = append(parts, fmt.Sprintf("collection %.64s is on the ledger, which lets nobody remove it: declare it in spec.collections", name))
		case declared.GetBlockToLive() != on.GetBlockToLive():
			parts = append(parts, fmt.Sprintf("collection %.64s has blockToLive %d on the ledger, which lets nobody change it, %d declared", name, on.GetBlockToLive(), declared.GetBlockToLive()))
		case !proto.Equal(on, declared):
			parts = append(parts, fmt.Sprintf("collection %.64s has other settings on the ledger than are declared", name))
		}
	}
	for name := range want {
		if have[name] == nil {
			parts = append(parts, fmt.Sprintf("collection %.64s is not on the ledger", name))
		}
	}
	slices.Sort(parts)
	return parts
}

// forbidden says what of a change the ledger does not allow; empty if it does.
func forbidden(have committed, want *chaincode.Definition) string {
	var parts []string
	for _, part := range collectionDifferences(byName(have.GetCollections()), byName(want.Collections)) {
		if strings.Contains(part, "lets nobody") {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

func policyTextOf(raw []byte) string {
	policy := &peer.ApplicationPolicy{}
	if err := proto.Unmarshal(raw, policy); err != nil {
		return "that cannot be read"
	}
	return policyText(policy)
}

// policyText is a policy as people write it. What is on a ledger may be malformed: nothing is taken for granted.
func policyText(policy *peer.ApplicationPolicy) string {
	if reference := policy.GetChannelConfigPolicyReference(); reference != "" {
		return "the channel's " + strings.TrimPrefix(reference, "/Channel/Application/")
	}
	signature := policy.GetSignaturePolicy()
	if signature == nil {
		return "none"
	}
	var text bytes.Buffer
	ruleText(&text, signature.GetIdentities(), signature.GetRule(), 0)
	return text.String()
}

func ruleText(text *bytes.Buffer, identities []*msp.MSPPrincipal, rule *common.SignaturePolicy, depth int) {
	gate := rule.GetNOutOf()
	if gate == nil {
		role, at := &msp.MSPRole{}, int(rule.GetSignedBy())
		if at < 0 || at >= len(identities) || proto.Unmarshal(identities[at].GetPrincipal(), role) != nil {
			text.WriteString("?")
			return
		}
		fmt.Fprintf(text, "'%s.%s'", role.GetMspIdentifier(), strings.ToLower(role.GetRole().String()))
		return
	}
	fmt.Fprintf(text, "OutOf(%d", gate.GetN())
	for _, part := range gate.GetRules() {
		text.WriteString(", ")
		if depth > 16 || text.Len() > 4096 {
			text.WriteString("…")
			break
		}
		ruleText(text, identities, part, depth+1)
	}
	text.WriteString(")")
}
