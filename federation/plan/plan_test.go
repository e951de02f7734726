package plan

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

func TestPlanOfOneMember(t *testing.T) {
	in := writePlans(input(org("org2", 2, 1), org("org1", 1, 0)))
	in.Plans["org1"].Status.Record = hashOf("facts")
	p := Compute(in).Plans["org2"]
	for _, c := range []struct{ why, got, want string }{
		{"the namespace is the consortium's", p.Namespace, "hanse-trade"},
		{"nodes are named for their member and sorted", names(p.Nodes, func(n v1alpha1.PlanNode) string { return n.Name }), "[orderer0-org2 peer0-org2 peer1-org2]"},
		{"storage has its default", p.Nodes[0].Storage.Size.String(), "5Gi"},
		{"volumes outlive their nodes", string(p.Nodes[0].Storage.ReclaimPolicy), "Retain"},
		{"an orderer keeps no state", string(p.Nodes[0].StateDatabase), ""},
		{"a peer does", string(p.Nodes[1].StateDatabase), "LevelDB"},
		{"images have their defaults", p.Ledger.Fabric.PeerImage, planner.DefaultPeerImage},
		{"members are sorted", names(p.Members, func(m v1alpha1.PlanMember) string { return m.Name }), "[org1 org2]"},
		{"roots are distributed", p.Members[0].Root, "root of org1"},
		{"records are referred to", p.Members[0].Record, hashOf("facts")},
		{"a line is seen from its own end", p.Lines[0].Member + " " + p.Lines[0].Address + " " + p.Lines[0].LocalAddress, "org1 gw.org1 gw.org2"},
		{"all members are in a channel that names none", names(p.Channels[0].Members, func(s string) string { return s }), "[org1 org2]"},
		{"the endorsement has its default", string(p.Channels[0].Endorsement.Rule), "Majority"},
		{"the batch has its defaults", p.Channels[0].Batch.AbsoluteMaxBytes.String() + " " + p.Channels[0].Batch.PreferredMaxBytes.String() + " " + p.Channels[0].Batch.Timeout.Duration.String(), "10Mi 2Mi 500ms"},
		{"the Leader leads", p.Channels[0].Leader, "org2"},
		{"a template becomes its image", p.Contracts[0].Image, "ghcr.io/hanse-io/contract-notary:0.1.0"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, c.got, c.want)
		}
	}
	if p.Lines[0].Port != 443 || p.Lines[0].LocalPort != v1alpha1.PortLine {
		t.Errorf("a line's port has its default: got %d and %d", p.Lines[0].Port, p.Lines[0].LocalPort)
	}
	if p.Contracts[0].Sequence != 1 {
		t.Errorf("the first definition is number 1: got %d", p.Contracts[0].Sequence)
	}
}

func TestComputeIsPure(t *testing.T) {
	in := writePlans(input(org("b", 1, 1), org("a", 1, 1), org("c", 1, 1)))
	in.Contracts[0].Spec.Endorsement = &v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseOutOf, Count: 1, Members: []string{"c", "a"}}
	copied := in
	copied.Consortium = in.Consortium.DeepCopy()
	copied.Contracts = []v1alpha1.Contract{*in.Contracts[0].DeepCopy()}
	first := Compute(in)
	if diff := cmp.Diff(copied.Consortium, in.Consortium) + cmp.Diff(copied.Contracts, in.Contracts); diff != "" {
		t.Errorf("the input was changed:\n%s", diff)
	}
	if second := Compute(in); !reflect.DeepEqual(first, second) {
		t.Error("the same input gave two results")
	}
}

func TestMemberSettingsOverrideConsortium(t *testing.T) {
	in := input(org("org1", 1, 1), org("org2", 1, 1))
	in.Consortium.Spec.Nodes.Storage.ClassName = "fast"
	in.Consortium.Spec.Nodes.ExtraSANs = []string{"all.example"}
	in.Consortium.Spec.Members[1].Nodes = &v1alpha1.NodeSettings{Storage: v1alpha1.Storage{ClassName: "own"}, StateDatabase: v1alpha1.StateCouchDB}
	plans := Compute(in).Plans
	if n := plans["org1"].Nodes[1]; n.Storage.ClassName != "fast" || n.StateDatabase != v1alpha1.StateLevelDB {
		t.Errorf("org1: %+v", n)
	}
	if n := plans["org2"].Nodes[1]; n.Storage.ClassName != "own" || n.StateDatabase != v1alpha1.StateCouchDB || n.ExtraSANs[0] != "all.example" {
		t.Errorf("org2: %+v", n)
	}
}

func TestWhoGetsAChannel(t *testing.T) {
	for _, c := range []struct {
		why                  string
		members              []v1alpha1.ConsortiumMember
		channel              []string
		gets, leader, orders string
	}{
		{"its members", []v1alpha1.ConsortiumMember{org("a", 1, 1), org("b", 1, 1), org("c", 1, 1)}, []string{"a", "b"}, "[a b]", "a", "[a b]"},
		{"its members' orderers serve it alone", []v1alpha1.ConsortiumMember{org("a", 1, 0), org("b", 1, 1), org("c", 1, 1)}, []string{"a", "b"}, "[a b]", "a", "[b]"},
		{"all orderers serve it if its members have none", []v1alpha1.ConsortiumMember{org("a", 1, 0), org("b", 1, 0), org("c", 0, 1), org("d", 0, 3)}, []string{"a", "b"}, "[a b c d]", "a", "[c d]"},
		{"another one leads where the Leader is not in it", []v1alpha1.ConsortiumMember{org("a", 1, 1), org("b", 1, 1), org("c", 1, 1)}, []string{"c", "b"}, "[b c]", "b", "[b c]"},
		{"another one leads where the Leader has no peer", []v1alpha1.ConsortiumMember{org("a", 0, 1), org("b", 1, 1), org("c", 1, 1)}, nil, "[a b c]", "b", "[a b c]"},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := input(c.members...)
			in.Channels = []v1alpha1.Channel{channel("deals", c.channel...)}
			res := Compute(in)
			var gets []string
			for _, m := range c.members {
				if len(res.Plans[m.Name].Channels) > 0 {
					gets = append(gets, m.Name)
				}
			}
			same := func(s string) string { return s }
			resolved := res.Resolved["deals"]
			if names(gets, same) != c.gets || resolved.Leader != c.leader || names(resolved.Ordering, same) != c.orders {
				t.Errorf("%v get it, %s leads, %v order", gets, resolved.Leader, resolved.Ordering)
			}
		})
	}
}

func TestWhoGetsAContract(t *testing.T) {
	res := Compute(input(org("a", 1, 1), org("b", 2, 0), org("c", 1, 0), org("orders", 0, 3)))
	for member, want := range map[string]int{"a": 1, "b": 1, "orders": 0} {
		if got := len(res.Plans[member].Contracts); got != want {
			t.Errorf("%s: %d contracts, want %d: a contract is for those whose peers serve it", member, got, want)
		}
	}
}

// TestDigestsOfStatements checks which digests of a Member's statements the plans have.
func TestDigestsOfStatements(t *testing.T) {
	record, holdings := hashOf("record"), hashOf("holdings")
	for _, row := range []struct {
		why                  string
		members              int
		status               v1alpha1.MemberPlanStatus
		wantRecord, wantHeld string
	}{
		{"nothing is reported", 3, v1alpha1.MemberPlanStatus{}, "", ""},
		{"few members: the plans refer to the first blocks that one holds", 16, v1alpha1.MemberPlanStatus{Record: record, Holdings: holdings}, record, holdings},
		{"many members: those travel by gossip alone", 17, v1alpha1.MemberPlanStatus{Record: record, Holdings: holdings}, record, ""},
		{"what is not a digest is left out: the API server would reject every member's plan", 3,
			v1alpha1.MemberPlanStatus{Record: strings.ToUpper(record), Holdings: holdings[1:]}, "", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			var members []v1alpha1.ConsortiumMember
			for i := range row.members {
				members = append(members, org(fmt.Sprintf("m%02d", i), 1, 1))
			}
			in := writePlans(input(members...))
			in.Plans["m00"].Status = row.status
			for member, p := range Compute(in).Plans {
				if got := p.Members[0]; got.Record != row.wantRecord || got.Holdings != row.wantHeld || p.Members[1].Record != "" {
					t.Errorf("the plan of %s has %+v", member, p.Members[:2])
				}
			}
		})
	}
}

func TestInvalidConsortiumHasNoPlans(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	in.Members["b"] = nil
	if res := Compute(in); res.Consortium.Accepted || len(res.Plans) > 0 {
		t.Errorf("%+v", res.Consortium)
	}
}

func TestIgnoredLines(t *testing.T) {
	in := input(org("a", 1, 1), org("b", 1, 1))
	in.Lines = append(in.Lines, v1alpha1.Line{
		ObjectMeta: metav1.ObjectMeta{Name: "outside"},
		Spec:       v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{{Member: "a", Address: "x"}, {Member: "z", Address: "y"}}},
	})
	now := metav1.NewTime(epoch)
	in.Lines[0].DeletionTimestamp = &now
	if lines := Compute(in).Plans["a"].Lines; len(lines) > 0 {
		t.Errorf("a line to a Member outside the consortium and one that is being deleted are in the plan: %+v", lines)
	}
}
