package fabric

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestContractPolicy(t *testing.T) {
	members := []string{"org-1", "org-2", "org-3"}
	for _, test := range []struct {
		name              string
		channel, contract v1alpha1.EndorsementPolicy
		want              string
	}{
		{"the channel's rule is referred to", v1alpha1.EndorsementPolicy{}, v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}, "reference"},
		{"another rule is spelt out", v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}, v1alpha1.EndorsementPolicy{}, "2 org-1 org-2 org-3"},
		{"all", v1alpha1.EndorsementPolicy{}, v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}, "3 org-1 org-2 org-3"},
		{"any", v1alpha1.EndorsementPolicy{}, v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAny}, "1 org-1 org-2 org-3"},
		{
			"some, in whatever order", v1alpha1.EndorsementPolicy{},
			v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"org-3", "org-1"}}, "1 org-1 org-3",
		},
		{
			"one alone", v1alpha1.EndorsementPolicy{},
			v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"org-3"}}, "1 org-3",
		},
		{
			"somebody outside the channel", v1alpha1.EndorsementPolicy{},
			v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"org-4"}}, "error org-4, which is not in channel",
		},
		{
			"more than there are", v1alpha1.EndorsementPolicy{},
			v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 3, Members: []string{"org-1"}}, "error 3 of 1 members",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			channel := v1alpha1.PlanChannel{Name: "goods", Members: members, Endorsement: test.channel}
			policy, err := contractPolicy(v1alpha1.MSPID, channel, test.contract)
			switch {
			case err != nil:
				if text, failed := strings.CutPrefix(test.want, "error "); !failed || !strings.Contains(err.Error(), text) {
					t.Errorf("%v", err)
				}
			case test.want == "reference":
				if policy.GetChannelConfigPolicyReference() != "/Channel/Application/Endorsement" {
					t.Errorf("%v", policy)
				}
			default:
				want := strings.Fields(test.want)
				rule := policy.GetSignaturePolicy().GetRule().GetNOutOf()
				text, err := chaincode.SignaturePolicyEnvelopeToString(policy.GetSignaturePolicy())
				if err != nil || strconv.Itoa(int(rule.GetN())) != want[0] || len(rule.GetRules()) != len(want)-1 {
					t.Errorf("%s: %v", text, err)
				}
				if missing := slices.IndexFunc(want[1:], func(member string) bool { return !strings.Contains(text, member+"MSP.peer") }); missing >= 0 {
					t.Errorf("%s lacks %s", text, want[1+missing])
				}
			}
		})
	}
}
