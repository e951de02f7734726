package fabric_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// document is what an application reads of the profile.
type document struct {
	Channels map[string]struct {
		Orderers []string       `json:"orderers"`
		Peers    map[string]any `json:"peers"`
	} `json:"channels"`
	Organizations map[string]any `json:"organizations"`
	Orderers      map[string]any `json:"orderers"`
}

func connection(t *testing.T, plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record) (string, document) {
	t.Helper()
	files, err := fabric.New(fabric.Options{}).Connection(plan, []string{"settlement"}, records)
	must(t, err)
	text := files[v1alpha1.ConnectionProfile]
	var d document
	must(t, json.Unmarshal([]byte(text), &d))
	return text, d
}

func TestConnection(t *testing.T) {
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	plan, records := members[0].Plan, fabrictest.Records(members)
	plan.Spec.Channels = []v1alpha1.PlanChannel{{Name: "settlement", Members: []string{"org1", "org2"}}, {Name: "not-joined", Members: []string{"org1"}}}
	text, d := connection(t, plan, records)
	for _, test := range []struct{ why, want string }{
		{"a peer goes by its one name", `"url": "grpcs://peer0-org2.hanse-trade:7051"`},
		{"the certificate is checked against that name", `"ssl-target-name-override": "peer0-org2.hanse-trade"`},
		{"the member's own MSP", `"mspid": "org1MSP"`},
		{"the application belongs to the member", `"organization": "org1"`},
	} {
		if !strings.Contains(text, test.want) {
			t.Errorf("%s: want %q in\n%s", test.why, test.want, text)
		}
	}
	channel := d.Channels["settlement"]
	if _, own := channel.Peers["peer0-org1.hanse-trade"]; len(channel.Peers) != 1 || !own {
		t.Errorf("the application asks %v; its own organization's peer finds the others", channel.Peers)
	}
	if len(channel.Orderers) != 2 {
		t.Errorf("orderers %v: those of the channel's members order it, and without them the archived SDK cannot submit", channel.Orderers)
	}
	if len(d.Channels) != 1 {
		t.Errorf("channels %v: only what the member's own peers have joined is of use", d.Channels)
	}
}

// Nothing that a plan says beside the checked records is in the profile: neither a root nor a node.
func TestConnectionTakesNothingFromThePlan(t *testing.T) {
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2")...)
	must(t, err)
	plan, records := members[0].Plan, fabrictest.Records(members)
	plan.Spec.Channels = []v1alpha1.PlanChannel{{Name: "settlement", Members: []string{"org1", "org2"}}}
	before, _ := connection(t, plan, records)
	for i := range plan.Spec.Members {
		m := &plan.Spec.Members[i]
		m.Root, m.Record = "another root", "another digest"
		m.Nodes[1].Port = 6666
	}
	if after, _ := connection(t, plan, records); after != before {
		t.Errorf("the profile was\n%s\nand is\n%s", before, after)
	}
	delete(records, "org2")
	if _, d := connection(t, plan, records); len(d.Organizations) != 1 || len(d.Orderers) != 1 {
		t.Errorf("without a checked record of org2: %+v", d)
	}
}
