package line

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

var planners = ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}

func plan(consortium string, members []v1alpha1.PlanMember, lines ...v1alpha1.PlanLine) v1alpha1.MemberPlan {
	return v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
		Member: "org1", Consortium: consortium, Members: members, Lines: lines,
	}}
}

func peer(name string) v1alpha1.PlanMemberNode {
	return v1alpha1.PlanMemberNode{Name: name, Role: v1alpha1.RolePeer, Port: v1alpha1.PortPeer}
}

func orderer(name string) v1alpha1.PlanMemberNode {
	return v1alpha1.PlanMemberNode{Name: name, Role: v1alpha1.RoleOrderer, Port: v1alpha1.PortOrderer}
}

func two() []v1alpha1.PlanMember {
	return []v1alpha1.PlanMember{
		{Name: "org1", Root: "root1", Nodes: []v1alpha1.PlanMemberNode{orderer("orderer0-org1"), peer("peer0-org1")}},
		{Name: "org2", Root: "root2", Nodes: []v1alpha1.PlanMemberNode{peer("peer0-org2")}},
	}
}

func lineTo(member, name, address string) v1alpha1.PlanLine {
	return v1alpha1.PlanLine{Name: name, Priority: 100, Member: member, Address: address, Port: 7443}
}

func says(member, consortium string, sequence int64, lines ...v1alpha1.RecordLine) v1alpha1.Record {
	return v1alpha1.Record{Member: member, Consortium: consortium, Sequence: sequence, Lines: lines}
}

func TestComputeWhole(t *testing.T) {
	got := Compute([]v1alpha1.MemberPlan{
		plan("trade", two(), lineTo("org2", "l2", "10.0.2.2"), lineTo("org2", "l1", "10.0.2.1")),
		plan("cargo", two(), lineTo("org2", "l1", "10.0.2.1")),
	}, nil, "org1", Cluster{Planners: planners, Roots: map[string]string{"org1": "pinned1", "org2": "pinned2"}, Own: []string{"10.43.0.0/16"}})
	want := routing.Routes{
		Member: "org1",
		Local: map[string]string{
			"agent.org1.hanse":          "member-agent.hanse-system.svc:7946",
			"orderer0-org1.hanse-cargo": "orderer0-org1.hanse-cargo.svc:7050",
			"orderer0-org1.hanse-trade": "orderer0-org1.hanse-trade.svc:7050",
			"peer0-org1.hanse-cargo":    "peer0-org1.hanse-cargo.svc:7051",
			"peer0-org1.hanse-trade":    "peer0-org1.hanse-trade.svc:7051",
		},
		Remote: map[string]string{
			"agent.org2.hanse": "org2", "peer0-org2.hanse-cargo": "org2", "peer0-org2.hanse-trade": "org2",
		},
		Lines: []routing.Line{
			{Name: "l1", Member: "org2", Address: "10.0.2.1", Port: 7443, Priority: 100},
			{Name: "l2", Member: "org2", Address: "10.0.2.2", Port: 7443, Priority: 100},
		},
		Roots: map[string]string{"org1": "pinned1", "org2": "pinned2"},
		Own:   []string{"10.43.0.0/16"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestComputeLineEnds(t *testing.T) {
	end := func(address string, port int32) v1alpha1.RecordLine {
		return v1alpha1.RecordLine{Name: "l1", Address: address, Port: port}
	}
	for _, c := range []struct {
		why     string
		plan    string
		records map[string]map[string]v1alpha1.Record
		want    string // empty if the line is not to be dialed
		problem string
	}{
		{why: "without a record the plan holds", plan: "10.0.2.1", want: "10.0.2.1"},
		{
			why: "the far member's own word goes before the plan", plan: "10.0.2.1", want: "10.9.9.9",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org2": says("org2", "trade", 1, end("10.9.9.9", 7443))}},
		},
		{
			why: "the newest record of any consortium holds", plan: "10.0.2.1", want: "10.9.9.9",
			records: map[string]map[string]v1alpha1.Record{
				"cargo": {"org2": says("org2", "cargo", 7, end("10.9.9.9", 7443))},
				"trade": {"org2": says("org2", "trade", 6, end("10.8.8.8", 7443))},
			},
		},
		{
			why: "another member has no say about the line", plan: "10.0.2.1", want: "10.0.2.1",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org3": says("org3", "trade", 9, end("10.66.6.6", 7443))}},
		},
		{
			why: "a record that names another member than it is filed under does not count", plan: "10.0.2.1", want: "10.0.2.1",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org2": says("org3", "trade", 9, end("10.66.6.6", 7443))}},
		},
		{
			why: "nor one of another consortium", plan: "10.0.2.1", want: "10.0.2.1",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org2": says("org2", "cargo", 9, end("10.66.6.6", 7443))}},
		},
		{
			why: "a published loopback address would lead into this very pod", plan: "10.0.2.1", want: "10.0.2.1", problem: "loopback",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org2": says("org2", "trade", 1, end("127.0.0.1", 7443))}},
		},
		{
			why: "a published name inside the cluster would open its doors", plan: "10.0.2.1", want: "10.0.2.1", problem: "inside",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org2": says("org2", "trade", 1, end("kubernetes.default.svc", 443))}},
		},
		{
			why: "a published port that is none", plan: "10.0.2.1", want: "10.0.2.1", problem: "TCP port",
			records: map[string]map[string]v1alpha1.Record{"trade": {"org2": says("org2", "trade", 1, end("10.9.9.9", 0))}},
		},
		{why: "the plan's address is checked too", plan: "169.254.169.254", problem: "link-local"},
		{why: "a DNS name may be an end", plan: "line.org2.example", want: "line.org2.example"},
	} {
		t.Run(c.why, func(t *testing.T) {
			r := Compute([]v1alpha1.MemberPlan{plan("trade", two(), lineTo("org2", "l1", c.plan))}, c.records, "org1", Cluster{Planners: planners})
			got, problems := "", strings.Join(r.Problems, "\n")
			for _, l := range r.Lines {
				if problems += l.Problem; l.Problem == "" {
					got += l.Address
				}
			}
			if got != c.want || c.problem == "" && problems != "" || !strings.Contains(problems, c.problem) {
				t.Errorf("address %q, want %q; problems: %q, want one about %q", got, c.want, problems, c.problem)
			}
		})
	}
}

func TestComputeNames(t *testing.T) {
	for _, c := range []struct {
		why  string
		node v1alpha1.PlanMemberNode
		of   string
		ok   bool
	}{
		{"a member's own peer", peer("peer0-org2"), "org2", true},
		{"its eleventh", peer("peer10-org2"), "org2", true},
		{"its orderer", orderer("orderer0-org2"), "org2", true},
		{"a third member's peer", peer("peer0-org3"), "org2", false},
		{"our own peer", peer("peer0-org1"), "org2", false},
		{"a peer of member x-org2, whose name merely ends alike", peer("peer0-x-org2"), "org2", false},
		{"a peer that calls itself an orderer", peer("orderer0-org2"), "org2", false},
		{"a peer without a number", peer("peer-org2"), "org2", false},
		{"a name with a dot leads to another namespace", peer("peer0-org2.kube-system"), "org2", false},
		{"a member whose name is no label", peer("peer0-a.b"), "a.b", false},
		{"a node of no known role", v1alpha1.PlanMemberNode{Name: "peer0-org2", Role: "King"}, "org2", false},
	} {
		t.Run(c.why, func(t *testing.T) {
			members := []v1alpha1.PlanMember{{Name: "org1"}, {Name: c.of, Nodes: []v1alpha1.PlanMemberNode{c.node}}}
			r := Compute([]v1alpha1.MemberPlan{plan("trade", members)}, nil, "org1", Cluster{Planners: planners})
			if got := r.Remote[c.node.Name+".hanse-trade"]; (got == c.of) != c.ok || got != "" && !c.ok {
				t.Errorf("the name leads to %q", got)
			}
			if len(r.Local) != 1 || (len(r.Problems) == 0) != c.ok {
				t.Errorf("local names %v, problems %q", r.Local, r.Problems)
			}
		})
	}
}

func TestComputeRoots(t *testing.T) {
	plans := []v1alpha1.MemberPlan{plan("a", two())}
	if r := Compute(plans, nil, "org1", Cluster{Planners: planners}); len(r.Roots) != 0 {
		t.Errorf("a root was trusted that nobody has pinned: %v", r.Roots)
	}
	if r := Compute(plans, nil, "org1", Cluster{Planners: planners, Roots: map[string]string{"org2": "pinned"}}); r.Roots["org2"] != "pinned" || len(r.Roots) != 1 {
		t.Errorf("the pinned root is not the one that holds: %v", r.Roots)
	}
	foreign := plan("a", two())
	foreign.Spec.Member = "org9"
	if r := Compute([]v1alpha1.MemberPlan{foreign}, nil, "org1", Cluster{Planners: planners}); len(r.Remote) != 0 {
		t.Errorf("a plan for somebody else was followed: %v", r.Remote)
	}
}

func TestComputeIsStable(t *testing.T) {
	a, b := plan("a", two(), lineTo("org2", "l1", "10.0.0.1")), plan("b", two(), lineTo("org2", "l1", "10.0.0.2"))
	one, err := Compute([]v1alpha1.MemberPlan{a, b}, nil, "org1", Cluster{Planners: planners, Domain: "cluster.local"}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	other, err := Compute([]v1alpha1.MemberPlan{b, a}, nil, "org1", Cluster{Planners: planners, Domain: "cluster.local"}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(other) {
		t.Errorf("the order of plans shows:\n%s\n%s", one, other)
	}
	back, err := routing.ParseRoutes(one)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if string(one) != string(again) {
		t.Errorf("what was read is not what was written:\n%s\n%s", one, again)
	}
	if want := "peer0-org1.hanse-a.svc.cluster.local.:7051"; back.Local["peer0-org1.hanse-a"] != want {
		t.Errorf("with a cluster domain the address is %s, want %s", back.Local["peer0-org1.hanse-a"], want)
	}
}

func FuzzCompute(f *testing.F) {
	f.Add("peer0-org2", "org2", "10.0.0.1", "10.0.0.2", int32(7443))
	f.Add("peer0-org1", "org2", "127.0.0.1", "localhost", int32(0))
	f.Add("peer0-a-b", "b", "::ffff:127.0.0.1", "0x7f.1", int32(-1))
	f.Add("peer0-org2.kube-system", "org2", "fe80::1%eth0", "a.svc.cluster.local", int32(70000))
	f.Fuzz(func(t *testing.T, node, member, planned, published string, port int32) {
		members := []v1alpha1.PlanMember{{Name: "org1", Nodes: []v1alpha1.PlanMemberNode{peer("peer0-org1")}}}
		if member != "org1" {
			members = append(members, v1alpha1.PlanMember{Name: member, Nodes: []v1alpha1.PlanMemberNode{peer(node), orderer(node)}})
		}
		records := map[string]map[string]v1alpha1.Record{"trade": {member: says(member, "trade", 1, v1alpha1.RecordLine{Name: "l", Address: published, Port: port})}}
		r := Compute([]v1alpha1.MemberPlan{plan("trade", members, lineTo(member, "l", planned))}, records, "org1", Cluster{Planners: planners, Domain: "cluster.local"})
		for name, to := range r.Remote {
			if name != "agent."+to+".hanse" && !strings.HasSuffix(name, "-"+to+".hanse-trade") || strings.Count(name, ".") > 2 {
				t.Errorf("%q leads to %q", name, to)
			}
		}
		if len(r.Local) != 2 {
			t.Errorf("local names were claimed from outside: %v", r.Local)
		}
		for _, l := range r.Lines {
			if err := routing.CheckAddress(l.Address, l.Port, "cluster.local"); err != nil && l.Problem == "" {
				t.Errorf("line %+v: %v", l, err)
			}
		}
		if text, err := r.JSON(); err != nil || !json.Valid(text) {
			t.Errorf("%s, %v", text, err)
		}
	})
}
