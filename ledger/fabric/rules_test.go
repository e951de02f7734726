package fabric_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// TestChannelIsWhatItsFirstBlockSays has a host that changes the plan of a channel whose first block has been pinned.
func TestChannelIsWhatItsFirstBlockSays(t *testing.T) {
	members := threeMembers(t)
	records := fabrictest.Records(members)
	outOf := v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 2, Members: []string{"org1", "org2", "org3"}}
	for _, row := range []struct {
		why string
		// made is the channel as it was when the block was made.
		made   func(*v1alpha1.PlanChannel)
		change func(*v1alpha1.MemberPlan, *v1alpha1.PlanChannel)
		says   string
	}{
		{"as it was made", nil, func(*v1alpha1.MemberPlan, *v1alpha1.PlanChannel) {}, ""},
		{"as it was made, with a policy spelt out", func(c *v1alpha1.PlanChannel) { c.Endorsement = outOf }, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Endorsement = outOf
		}, ""},
		{"other capabilities for channels to come", nil, func(p *v1alpha1.MemberPlan, _ *v1alpha1.PlanChannel) {
			p.Spec.Ledger.Fabric = &v1alpha1.FabricSpec{ApplicationCapabilities: "V2_0"}
		}, ""},
		{"another of the members leads", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) { c.Leader = "org2" }, ""},
		{"a member twice, another one left out", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Members = []string{"org1", "org3", "org3"}
		}, "the plan has the members org1MSP, org3MSP, org3MSP"},
		{"a member twice beside all others", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Members = []string{"org1", "org2", "org3", "org3"}
		}, "the plan has the members"},
		{"a outsider", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Members = []string{"org1", "org2", "org3", "org9"}
		}, "org9MSP"},
		{"a leader outside", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) { c.Leader = "org9" }, "its leader by the plan"},
		{"others order it", nil, func(p *v1alpha1.MemberPlan, _ *v1alpha1.PlanChannel) {
			p.Spec.Members[2].Nodes = p.Spec.Members[2].Nodes[1:]
		}, "by the plan it is ordered by org1MSP, org2MSP"},
		{"one endorsement is enough", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Endorsement.Rule = v1alpha1.EndorseAny
		}, "another Endorsement policy"},
		{"one member's endorsement is enough", func(c *v1alpha1.PlanChannel) { c.Endorsement = outOf }, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"org3"}}
		}, "another Endorsement policy"},
		{"larger blocks", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) { c.Batch.MaxMessages = 7 }, "another batch"},
		{"later blocks", nil, func(_ *v1alpha1.MemberPlan, c *v1alpha1.PlanChannel) {
			c.Batch.Timeout = &metav1.Duration{Duration: time.Hour}
		}, "another batch"},
	} {
		t.Run(row.why, func(t *testing.T) {
			made := goods
			if row.made != nil {
				row.made(&made)
			}
			session := sessionOf(t, members[0], records)
			block, err := session.Genesis(made)
			must(t, err)
			hash, err := session.CheckGenesis(made, block)
			must(t, err)
			victim := *members[1]
			victim.Plan = members[1].Plan.DeepCopy()
			channel := goods
			row.change(victim.Plan, &channel)
			err = sessionOf(t, &victim, records).CheckChannel(t.Context(), channel, firstBlock(hash, block))
			if row.says == "" {
				must(t, err)
				return
			}
			if !errors.Is(err, ledger.ErrChannelDiffers) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("says %v", err)
			}
		})
	}
}

// TestKeptBlockIsTheKeptOne has a block in the organization's own cluster that is not that of its hash.
func TestKeptBlockIsTheKeptOne(t *testing.T) {
	members := threeMembers(t)
	session := sessionOf(t, members[0], fabrictest.Records(members))
	block, err := session.Genesis(goods)
	must(t, err)
	if err := session.CheckChannel(t.Context(), goods, firstBlock(strings.Repeat("a", 64), block)); !errors.Is(err, ledger.ErrGenesisRefused) {
		t.Errorf("says %v", err)
	}
}
