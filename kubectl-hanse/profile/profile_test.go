package profile

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func facts() Facts {
	nodes := func(member string) []v1alpha1.PlanMemberNode {
		return []v1alpha1.PlanMemberNode{
			{Name: "orderer0-" + member, Role: v1alpha1.RoleOrderer, Port: 7050}, {Name: "peer0-" + member, Role: v1alpha1.RolePeer, Port: 7051},
		}
	}
	f := Facts{Records: map[string]v1alpha1.Record{"org1": {TLSRoots: []string{"PEM1"}}, "org2": {TLSRoots: []string{"PEM2"}}}}
	f.Plan.Spec = v1alpha1.MemberPlanSpec{Member: "org1", Consortium: "trade",
		Members:  []v1alpha1.PlanMember{{Name: "org1", Nodes: nodes("org1")}, {Name: "org2", Nodes: nodes("org2")}},
		Channels: []v1alpha1.PlanChannel{{Name: "settlement", Members: []string{"org1", "org2"}}, {Name: "own", Members: []string{"org1"}}}}
	return f
}

func TestBuild(t *testing.T) {
	d, err := build(facts())
	if err != nil {
		t.Fatal(err)
	}
	text, err := encode(d, "yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ why, want string }{
		{"a peer goes by its one name", "url: grpcs://peer0-org2.hanse-trade:7051"},
		{"the certificate is checked against that name", "ssl-target-name-override: peer0-org2.hanse-trade"},
		{"the member's own MSP", "mspid: org1MSP"},
		{"the application belongs to the member", "organization: org1"},
	} {
		if !strings.Contains(string(text), test.want) {
			t.Errorf("%s: want %q in\n%s", test.why, test.want, text)
		}
	}
	if peers := d.Channels["settlement"].Peers; len(peers) != 1 || !peers["peer0-org1.hanse-trade"].ChaincodeQuery {
		t.Errorf("the application asks %v; its own organization's peer finds the others", peers)
	}
	if orderers := d.Channels["settlement"].Orderers; len(orderers) != 2 {
		t.Errorf("orderers %v: without them the SDK cannot submit", orderers)
	}
}

func TestBuildWaitsForRoots(t *testing.T) {
	f := facts()
	delete(f.Records, "org2")
	if _, err := build(f); err == nil || !strings.Contains(err.Error(), "org2") {
		t.Fatalf("got %v: a profile without org2's roots could not work, and the error has to name org2", err)
	}
}
