package fabric

import (
	"strings"
	"testing"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/protobuf/proto"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/policytext"
)

// TestPolicyBytes holds that what is read here becomes, byte for byte, what Fabric's own reader makes of the same text.
func TestPolicyBytes(t *testing.T) {
	for _, text := range []string{
		"AND('org1MSP.peer', 'org2MSP.peer')",
		"OR('org1MSP.member', AND('org2MSP.peer', 'org3MSP.admin'))",
		"OutOf(2, 'org1MSP.peer', 'org-2.x.peer', OR('a.client', 'b.orderer'))",
		"or(\"a.peer\",\"b.peer\")",
	} {
		node, err := policytext.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := envelopeOf(node)
		if err != nil {
			t.Fatal(err)
		}
		for _, spelling := range []string{text, node.String()} {
			want, err := chaincode.NewApplicationPolicy(spelling, "")
			if err != nil {
				t.Fatal(err)
			}
			a, _ := proto.Marshal(got)
			b, _ := proto.Marshal(want.GetSignaturePolicy())
			if string(a) != string(b) {
				t.Errorf("%s: %v, and Fabric makes %v", spelling, got, want)
			}
		}
	}
}

func definitionPlan() (*v1alpha1.MemberPlan, v1alpha1.PlanContract) {
	contract := v1alpha1.PlanContract{
		Name: "notary", Channel: "goods", Image: "notary:1", Version: "2.0", Sequence: 1,
		Endorsement: v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority},
		Collections: []v1alpha1.Collection{{
			Name: "secrets", Members: []string{"org1", "org2"}, MaxPeers: ptr.To(int32(1)), MemberOnlyRead: ptr.To(true), MemberOnlyWrite: ptr.To(true),
		}},
	}
	plan := &v1alpha1.MemberPlan{}
	plan.Spec.Consortium, plan.Spec.Member = "trade", "org1"
	plan.Spec.Channels = []v1alpha1.PlanChannel{{Name: "goods", Members: []string{"org1", "org2", "org3"}}}
	return plan, contract
}

// onLedger is a definition as a peer answers with it once it is committed.
func onLedger(t *testing.T, d *chaincode.Definition) *lifecycle.QueryChaincodeDefinitionResult {
	t.Helper()
	parameter, err := proto.Marshal(d.ApplicationPolicy)
	if err != nil {
		t.Fatal(err)
	}
	return &lifecycle.QueryChaincodeDefinitionResult{
		Sequence: d.Sequence, Version: d.Version, EndorsementPlugin: "escc", ValidationPlugin: "vscc",
		ValidationParameter: parameter, Collections: proto.Clone(d.Collections).(*peer.CollectionConfigPackage),
	}
}

func TestDifferences(t *testing.T) {
	type result = lifecycle.QueryChaincodeDefinitionResult
	static := func(r *result) *peer.StaticCollectionConfig {
		return r.Collections.Config[0].GetStaticCollectionConfig()
	}
	for _, row := range []struct {
		why       string
		change    func(r *result)
		says      string
		forbidden bool
	}{
		{"the same", func(*result) {}, "", false},
		{"another version", func(r *result) { r.Version = "1.0" }, "version 1.0 on the ledger, 2.0 declared", false},
		{"a plugin of somebody's", func(r *result) { r.EndorsementPlugin = "mine" }, "endorsement plugin mine on the ledger, escc declared", false},
		{"another validation", func(r *result) { r.ValidationPlugin = "mine" }, "validation plugin mine", false},
		{"init required", func(r *result) { r.InitRequired = true }, "init required is true on the ledger", false},
		{"another policy", func(r *result) {
			policy, _ := chaincode.NewApplicationPolicy("AND('org3MSP.peer', 'org1MSP.peer')", "")
			r.ValidationParameter, _ = proto.Marshal(policy)
		}, "endorsement policy OutOf(2, 'org3MSP.peer', 'org1MSP.peer') on the ledger, the channel's Endorsement declared", false},
		{"a policy that nobody can read", func(r *result) { r.ValidationParameter = []byte{0xff} }, "that cannot be read", false},
		{"a policy that points nowhere", func(r *result) {
			r.ValidationParameter, _ = proto.Marshal(&peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: &common.SignaturePolicyEnvelope{
				Rule: &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: 7}},
			}}})
		}, "endorsement policy ? on the ledger", false},
		{"no collection", func(r *result) { r.Collections = nil }, "collection secrets is not on the ledger", false},
		{"a collection that is not declared", func(r *result) { static(r).Name = "by-hand" }, "collection by-hand is on the ledger, which lets nobody remove it", true},
		{"another life of its data", func(r *result) { static(r).BlockToLive = 9 }, "blockToLive 9 on the ledger, which lets nobody change it, 0 declared", true},
		{"other settings of a collection", func(r *result) { static(r).MemberOnlyRead = false }, "collection secrets has other settings", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan, contract := definitionPlan()
			want, err := definitionOf(plan, contract)
			if err != nil {
				t.Fatal(err)
			}
			have := onLedger(t, want)
			row.change(have)
			got := strings.Join(differences(have, want), "; ")
			if (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
				t.Errorf("%q, not %q", got, row.says)
			}
			if said := forbidden(have, want); (said != "") != row.forbidden {
				t.Errorf("forbidden: %q", said)
			}
		})
	}
}

// TestForgedPolicy holds that a plan that names a member twice makes no policy at all, wherever it is named.
func TestForgedPolicy(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(plan *v1alpha1.MemberPlan, c *v1alpha1.PlanContract)
	}{
		{"a channel's member twice", func(p *v1alpha1.MemberPlan, _ *v1alpha1.PlanContract) {
			p.Spec.Channels[0].Members = []string{"org1", "org3", "org3"}
		}},
		{"the same, with a rule of the contract's own", func(p *v1alpha1.MemberPlan, c *v1alpha1.PlanContract) {
			p.Spec.Channels[0].Members = []string{"org1", "org3", "org3"}
			c.Endorsement.Rule = v1alpha1.EndorseAny
		}},
		{"twice among some", func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanContract) {
			c.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 2, Members: []string{"org3", "org3"}}
		}},
		{"twice in a text", func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanContract) {
			c.Endorsement = v1alpha1.EndorsementPolicy{Policy: "AND('org3MSP.peer', 'org3MSP.peer')"}
		}},
		{"a outsider in a text", func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanContract) {
			c.Endorsement = v1alpha1.EndorsementPolicy{Policy: "OR('evilMSP.peer')"}
		}},
		{"twice in a collection", func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanContract) {
			c.Collections[0].Members = []string{"org1", "org1"}
		}},
		{"a outsider in a collection", func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanContract) {
			c.Collections[0].Members = []string{"org1", "org9"}
		}},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan, contract := definitionPlan()
			row.change(plan, &contract)
			if d, err := definitionOf(plan, contract); err == nil {
				t.Errorf("%v", d)
			}
			if hash, err := New(Options{}).Definition(plan, contract); err == nil {
				t.Errorf("it can be approved as %s", hash)
			}
		})
	}
}
