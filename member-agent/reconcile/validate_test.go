package reconcile

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// validTestPlan is a plan as an honest host makes it for org1.
func validTestPlan() *v1alpha1.MemberPlan {
	node := func(name string, role v1alpha1.NodeRole) v1alpha1.PlanMemberNode {
		return v1alpha1.PlanMemberNode{Name: name, Role: role, Port: 7051}
	}
	p := &v1alpha1.MemberPlan{}
	p.Namespace, p.Name = v1alpha1.MemberNamespace("org1"), "trade"
	p.Spec = v1alpha1.MemberPlanSpec{
		Member: "org1", Consortium: "trade", ConsortiumNamespace: "default", Namespace: v1alpha1.ConsortiumNamespace("trade"),
		Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric},
		Nodes:  []v1alpha1.PlanNode{{Name: "orderer0-org1", Role: v1alpha1.RoleOrderer}, {Name: "peer0-org1", Role: v1alpha1.RolePeer}},
		Lines:  []v1alpha1.PlanLine{{Name: "org1-org2", Member: "org2", Address: "192.0.2.2", Port: 7443, LocalAddress: "192.0.2.1", LocalPort: 7443}},
	}
	for _, name := range []string{"org1", "org2", "org3"} {
		p.Spec.Members = append(p.Spec.Members, v1alpha1.PlanMember{Name: name, Role: v1alpha1.RoleParticipant, Nodes: []v1alpha1.PlanMemberNode{
			node("orderer0-"+name, v1alpha1.RoleOrderer), node("peer0-"+name, v1alpha1.RolePeer),
		}})
	}
	p.Spec.Members[0].Role = v1alpha1.RoleLeader
	majority := v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
	p.Spec.Channels = []v1alpha1.PlanChannel{{Name: "goods", Members: []string{"org1", "org2", "org3"}, Leader: "org1", Endorsement: majority}}
	p.Spec.Contracts = []v1alpha1.PlanContract{{Name: "notary", Channel: "goods", Image: "ghcr.io/hanse-io/contract-notary:0.1.0", Version: "1.0", Sequence: 1, Endorsement: majority}}
	return p
}

func TestValidatePlan(t *testing.T) {
	long := strings.Repeat("a", 51)
	for _, row := range []struct {
		why    string
		change func(*v1alpha1.MemberPlan)
		reason string
	}{
		{"as an honest host makes it", func(*v1alpha1.MemberPlan) {}, ""},
		{"names at their longest", func(p *v1alpha1.MemberPlan) {
			p.Name, p.Spec.Consortium, p.Spec.Namespace = long[:50], long[:50], v1alpha1.ConsortiumNamespace(long[:50])
			p.Spec.Channels[0].Name, p.Spec.Contracts[0].Channel, p.Spec.Contracts[0].Name = long[:40], long[:40], "b123456789"
		}, ""},
		{"for another member", func(p *v1alpha1.MemberPlan) { p.Spec.Member = "org2" }, v1alpha1.ReasonWrongMember},
		{"under another name", func(p *v1alpha1.MemberPlan) { p.Name = "fish" }, v1alpha1.ReasonWrongMember},
		{"for another namespace", func(p *v1alpha1.MemberPlan) { p.Spec.Namespace = "kube-system" }, v1alpha1.ReasonWrongMember},
		{"for the agent's own namespace", func(p *v1alpha1.MemberPlan) {
			p.Name, p.Spec.Consortium, p.Spec.Namespace = "system", "system", "hanse-system"
		}, v1alpha1.ReasonWrongMember},
		{"a consortium whose namespace is no label", func(p *v1alpha1.MemberPlan) {
			p.Name, p.Spec.Consortium, p.Spec.Namespace = "a.b", "a.b", "hanse-a.b"
		}, v1alpha1.ReasonInvalid},
		{"a consortium whose name is too long for its namespace", func(p *v1alpha1.MemberPlan) {
			p.Name, p.Spec.Consortium, p.Spec.Namespace = long, long, v1alpha1.ConsortiumNamespace(long)
		}, v1alpha1.ReasonInvalid},
		{"a node whose TLS secret would be the administrator's", func(p *v1alpha1.MemberPlan) { p.Spec.Nodes[1].Name = "admin-org1" }, v1alpha1.ReasonInvalid},
		{"a node of somebody else", func(p *v1alpha1.MemberPlan) { p.Spec.Nodes[1].Name = "peer0-org2" }, v1alpha1.ReasonInvalid},
		{"a node with another role than its name says", func(p *v1alpha1.MemberPlan) { p.Spec.Nodes[1].Role = v1alpha1.RoleOrderer }, v1alpha1.ReasonInvalid},
		{"a node without a role", func(p *v1alpha1.MemberPlan) { p.Spec.Nodes[1].Role = "" }, v1alpha1.ReasonInvalid},
		{"a node twice", func(p *v1alpha1.MemberPlan) { p.Spec.Nodes = append(p.Spec.Nodes, p.Spec.Nodes[0]) }, v1alpha1.ReasonInvalid},
		{"another member that claims our node's name", func(p *v1alpha1.MemberPlan) { p.Spec.Members[1].Nodes[1].Name = "peer0-org1" }, v1alpha1.ReasonInvalid},
		{"another member that claims the gateway's name", func(p *v1alpha1.MemberPlan) { p.Spec.Members[1].Nodes[1].Name = "gateway" }, v1alpha1.ReasonInvalid},
		{"a member twice", func(p *v1alpha1.MemberPlan) { p.Spec.Members[2].Name = "org2" }, v1alpha1.ReasonInvalid},
		{"a member with a path for a name", func(p *v1alpha1.MemberPlan) { p.Spec.Members[2] = v1alpha1.PlanMember{Name: "../org3"} }, v1alpha1.ReasonInvalid},
		{"a channel with a path for a name", func(p *v1alpha1.MemberPlan) { p.Spec.Channels[0].Name = "../goods" }, v1alpha1.ReasonInvalid},
		{"a channel twice", func(p *v1alpha1.MemberPlan) { p.Spec.Channels = append(p.Spec.Channels, p.Spec.Channels[0]) }, v1alpha1.ReasonInvalid},
		{"a channel's member twice, so that a majority is one organization", func(p *v1alpha1.MemberPlan) {
			p.Spec.Channels[0].Members = []string{"org1", "org3", "org3"}
		}, v1alpha1.ReasonInvalid},
		{"an endorser of a channel twice", func(p *v1alpha1.MemberPlan) {
			p.Spec.Channels[0].Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 2, Members: []string{"org3", "org3"}}
		}, v1alpha1.ReasonInvalid},
		{"an endorser of a contract twice", func(p *v1alpha1.MemberPlan) {
			p.Spec.Contracts[0].Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 2, Members: []string{"org3", "org3"}}
		}, v1alpha1.ReasonInvalid},
		{"a reference to a first block that is a path", func(p *v1alpha1.MemberPlan) {
			p.Spec.Channels[0].Genesis = &v1alpha1.StatementRef{Member: "org2", Digest: "../x"}
		}, v1alpha1.ReasonInvalid},
		{"a contract that would run under a node's name", func(p *v1alpha1.MemberPlan) {
			p.Spec.Contracts[0].Channel, p.Spec.Contracts[0].Name = "peer0", "org1"
		}, v1alpha1.ReasonInvalid},
		{"a contract that would take a far node's name", func(p *v1alpha1.MemberPlan) {
			p.Spec.Contracts[0].Channel, p.Spec.Contracts[0].Name = "peer0", "org2"
		}, v1alpha1.ReasonInvalid},
		{"two contracts under one name", func(p *v1alpha1.MemberPlan) {
			p.Spec.Contracts = []v1alpha1.PlanContract{{Name: "c", Channel: "a-b"}, {Name: "b-c", Channel: "a"}}
		}, v1alpha1.ReasonInvalid},
		{"a contract without a name", func(p *v1alpha1.MemberPlan) { p.Spec.Contracts[0].Name = "" }, v1alpha1.ReasonInvalid},
		{"a contract whose workload's name is too long", func(p *v1alpha1.MemberPlan) { p.Spec.Contracts[0].Name = long[:46] }, v1alpha1.ReasonInvalid},
	} {
		t.Run(row.why, func(t *testing.T) {
			p := validTestPlan()
			row.change(p)
			if reason, why := validatePlan(p, "org1"); reason != row.reason || (why == "") != (row.reason == "") {
				t.Errorf("refused as %q (%s), want %q", reason, why, row.reason)
			}
		})
	}
}
