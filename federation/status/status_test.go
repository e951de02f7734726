package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// readyInput is a consortium of org1 (the Leader), org2 and org3 in which everything is ready.
func readyInput() plan.Input {
	in := plan.Input{
		Planner:    planner.Planner{},
		Consortium: &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: "trade", Generation: 7}},
		Channels:   []v1alpha1.Channel{{ObjectMeta: metav1.ObjectMeta{Name: "deals"}, Spec: v1alpha1.ChannelSpec{Consortium: "trade"}}},
		Contracts: []v1alpha1.Contract{{ObjectMeta: metav1.ObjectMeta{Name: "notary"},
			Spec: v1alpha1.ContractSpec{Channel: "deals", Template: v1alpha1.TemplateNotary}}},
		Members: map[string]*v1alpha1.Member{},
		Plans:   map[string]*v1alpha1.MemberPlan{},
	}
	names := []string{"org1", "org2", "org3"}
	for i, name := range names {
		role := v1alpha1.RoleParticipant
		if i == 0 {
			role = v1alpha1.RoleLeader
		}
		in.Consortium.Spec.Members = append(in.Consortium.Spec.Members, v1alpha1.ConsortiumMember{Name: name, Role: role})
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}
		setCondition(m, v1alpha1.MemberOnline, metav1.ConditionTrue)
		setCondition(m, v1alpha1.MemberRegistered, metav1.ConditionTrue)
		in.Members[name] = m
		for _, other := range names[:i] {
			addLine(&in, other, name)
		}
		in.Plans[name] = &v1alpha1.MemberPlan{Status: v1alpha1.MemberPlanStatus{
			Nodes: []v1alpha1.PlanNodeStatus{{Name: "orderer0-" + name, Ready: true}, {Name: "peer0-" + name, Ready: true}},
			Channels: []v1alpha1.PlanChannelStatus{{Name: "deals", GenesisHash: strings.Repeat("a", 64), Height: 4,
				Steps: []v1alpha1.PlanStep{
					{Name: planner.StepJoinOrderers, Nodes: []string{"orderer0-" + name}, Done: true},
					{Name: planner.StepJoinPeers, Nodes: []string{"peer0-" + name}, Done: true}, {Name: planner.StepSetAnchors, Done: true},
				}}},
			Contracts: []v1alpha1.PlanContractStatus{{Name: "notary", Channel: "deals", Running: true, Approved: 1, Committed: 1}},
		}}
	}
	reportReached(in)
	for name, spec := range plan.Compute(in).Plans {
		in.Plans[name].Spec = spec
		in.Plans[name].Status.Contracts[0].Definition = spec.Contracts[0].DefinitionHash()
		in.Plans[name].Status.Contracts[0].Serving = true
	}
	return in
}

// setContractFault has a Member report that something is wrong with a contract.
func setContractFault(p *v1alpha1.MemberPlan, channel, contract, reason, message string) {
	for i := range p.Status.Contracts {
		if c := &p.Status.Contracts[i]; c.Channel == channel && c.Name == contract {
			c.Reason, c.Message, c.Running = reason, message, false
		}
	}
}

// declareImage has the plans name another peers' image.
func declareImage(in *plan.Input, image string) {
	in.Consortium.Spec.Ledger.Fabric = &v1alpha1.FabricSpec{PeerImage: image}
	for name, spec := range plan.Compute(*in).Plans {
		in.Plans[name].Spec = spec
	}
}

// disallowedRollout is an image that two organizations do not allow.
func disallowedRollout(in *plan.Input) {
	declareImage(in, "peer:2")
	for _, name := range []string{"org1", "org3"} {
		in.Plans[name].Status.Conditions = []metav1.Condition{{
			Type: v1alpha1.PlanNodesReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonImageNotAllowed, Message: name + " does not allow peer:2",
		}}
	}
}

func failedRollout(in *plan.Input) {
	in.Consortium.Spec.Ledger.Fabric = &v1alpha1.FabricSpec{PeerImage: "peer:2"}
	in.Consortium.Status.Rollout = &v1alpha1.RolloutStatus{
		Target: v1alpha1.RolloutTarget{PeerImage: "peer:2", OrdererImage: planner.DefaultOrdererImage, CouchDBImage: planner.DefaultCouchDBImage},
		Member: "org1", Node: "peer0-org1", From: v1alpha1.NodeTemplate{Image: "peer:1"}, To: v1alpha1.NodeTemplate{Image: "peer:2"},
		Failed: true, Message: "cannot be pulled",
	}
}

func setCondition(m *v1alpha1.Member, kind string, status metav1.ConditionStatus) {
	meta.SetStatusCondition(&m.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: "Test"})
}

// addLine declares a line that both ends report as up.
func addLine(in *plan.Input, a, b string) {
	name := a + "-" + b
	in.Lines = append(in.Lines, v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{{Member: a, Address: "gw." + a, Port: 7443}, {Member: b, Address: "gw." + b, Port: 7443}}}})
	for from, to := range map[string]string{a: b, b: a} {
		in.Members[from].Status.Lines = append(in.Members[from].Status.Lines,
			v1alpha1.LineReport{Name: name, Member: to, State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp})
	}
}

func report(in plan.Input, from, line string) *v1alpha1.LineReport {
	lines := in.Members[from].Status.Lines
	for i := range lines {
		if lines[i].Name == line {
			return &lines[i]
		}
	}
	return nil
}

// reportReached has every plan report that it reaches every other Member.
func reportReached(in plan.Input) {
	for name, p := range in.Plans {
		for other := range in.Members {
			if other != name {
				p.Status.Lines = append(p.Status.Lines, v1alpha1.PlanLineStatus{Member: other, Line: "l", State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp})
			}
		}
	}
}

// reaches is what a Member's plan reports of another Member.
func reaches(in *plan.Input, from, to string) *v1alpha1.PlanLineStatus {
	lines := in.Plans[from].Status.Lines
	for i := range lines {
		if lines[i].Member == to {
			return &lines[i]
		}
	}
	return nil
}

func setOffline(in plan.Input, name string) {
	setCondition(in.Members[name], v1alpha1.MemberOnline, metav1.ConditionUnknown)
}

func TestConsortium(t *testing.T) {
	for _, c := range []struct {
		why       string
		change    func(*plan.Input)
		condition string
		status    metav1.ConditionStatus
		says      string
	}{
		{"everything is ready", func(*plan.Input) {}, v1alpha1.ConditionReady, metav1.ConditionTrue, "3/3 members, 6/6 nodes, 3/3 lines, 1/1 channels, 1/1 contracts"},
		{"lost contact is Unknown", func(in *plan.Input) { setOffline(*in, "org3") }, v1alpha1.ConditionReady, metav1.ConditionUnknown, "no contact with org3"},
		{"lost contact leaves the nodes Unknown", func(in *plan.Input) { setOffline(*in, "org3") }, v1alpha1.ConsortiumNodesReady, metav1.ConditionUnknown, "no contact with org3"},
		{"lost contact with the host does not affect the lines", func(in *plan.Input) { setOffline(*in, "org3") }, v1alpha1.ConsortiumLinesReady, metav1.ConditionTrue, "3/3 lines"},
		{"what is known to be missing makes False whatever is unknown", func(in *plan.Input) {
			setOffline(*in, "org3")
			in.Plans["org2"].Status.Nodes[0].Ready = false
		}, v1alpha1.ConsortiumNodesReady, metav1.ConditionFalse, "waiting for org2 to start nodes"},
		{"a Member that has not registered is waited for", func(in *plan.Input) {
			setOffline(*in, "org3")
			setCondition(in.Members["org3"], v1alpha1.MemberRegistered, metav1.ConditionFalse)
		}, v1alpha1.ConsortiumMembersOnline, metav1.ConditionFalse, "2/3 members; waiting for org3 to register an agent"},
		{"a node says why it does not start", func(in *plan.Input) {
			in.Plans["org2"].Status.Nodes[0] = v1alpha1.PlanNodeStatus{Name: "orderer0-org2", Message: "no StorageClass fast"}
		}, v1alpha1.ConditionReady, metav1.ConditionFalse, "3/3 members, 5/6 nodes, 3/3 lines, 1/1 channels, 1/1 contracts; waiting for org2 to start nodes (orderer0-org2: no StorageClass fast)"},
		{"nodes that run, but not as the plan has them", func(in *plan.Input) {
			meta.SetStatusCondition(&in.Plans["org2"].Status.Conditions, metav1.Condition{
				Type: v1alpha1.PlanNodesReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonImageNotAllowed, Message: "org2 does not allow the image evil:1",
			})
		}, v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for org2 to carry out the plan (org2 does not allow the image evil:1)"},
		{"a plan that a Member has not taken over, because it asks for too much", func(in *plan.Input) {
			in.Plans["org2"].Status = v1alpha1.MemberPlanStatus{Channels: in.Plans["org2"].Status.Channels, Conditions: []metav1.Condition{
				{Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonLimitExceeded, Message: "asks for more than allowed"},
			}}
			in.Plans["org2"].Generation = 1
		}, v1alpha1.ConsortiumNodesReady, metav1.ConditionFalse, "waiting for org2 to process the plan (asks for more than allowed)"},
		{"a plan that is not trusted, while the nodes of the one before run", func(in *plan.Input) {
			meta.SetStatusCondition(&in.Plans["org2"].Status.Conditions, metav1.Condition{
				Type: v1alpha1.PlanTrusted, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRootChanged, Message: "another root",
			})
		}, v1alpha1.ConsortiumNodesReady, metav1.ConditionFalse, "waiting for org2 to carry out the plan (another root)"},
		{"a plan that is not observed yet", func(in *plan.Input) { in.Plans["org2"].Generation = 2 }, v1alpha1.ConsortiumNodesReady, metav1.ConditionFalse, "waiting for org2 to process the plan"},
		{"a plan that the API server rejects", func(in *plan.Input) {
			in.WriteErrors = map[string]string{"org2": "it is too large"}
		}, v1alpha1.ConsortiumPlansWritten, metav1.ConditionFalse, "the plan of org2 cannot be written: it is too large"},
		{"a namespace for statements that is not the consortium's", func(in *plan.Input) {
			in.WriteErrors = map[string]string{"": "there is a namespace hanse-shared-trade already"}
		}, v1alpha1.ConsortiumPlansWritten, metav1.ConditionFalse, "there is a namespace hanse-shared-trade already"},
		{"and so the consortium is not ready", func(in *plan.Input) {
			in.WriteErrors = map[string]string{"org2": "it is too large"}
		}, v1alpha1.ConditionReady, metav1.ConditionFalse, "the plan of org2 cannot be written: it is too large"},
		{"a plan that is not written yet", func(in *plan.Input) { delete(in.Plans, "org2") }, v1alpha1.ConsortiumNodesReady, metav1.ConditionFalse, "waiting for org2 to process the plan"},
		{"nodes that are not in the plan do not count", func(in *plan.Input) { in.Plans["org2"].Status.Nodes[0].Name = "orderer9-org2" }, v1alpha1.ConsortiumNodesReady, metav1.ConditionFalse, "5/6 nodes"},
		{"two Members without a line", func(in *plan.Input) { in.Lines = in.Lines[1:] }, v1alpha1.ConsortiumLinesReady, metav1.ConditionFalse, "2/3 lines; waiting for a Line between org1 and org2 to be declared"},
		{"one that does not reach another", func(in *plan.Input) { reaches(in, "org1", "org2").State = v1alpha1.LineDown }, v1alpha1.ConsortiumLinesReady, metav1.ConditionFalse, "2/3 lines; waiting for the line between org1 and org2 to come up"},
		{"whichever of the two", func(in *plan.Input) { reaches(in, "org2", "org1").State = v1alpha1.LineDown }, v1alpha1.ConsortiumLinesReady, metav1.ConditionFalse, "2/3 lines; waiting for the line between org1 and org2 to come up"},
		{"one whose gateway has not tried yet", func(in *plan.Input) { reaches(in, "org1", "org2").State = v1alpha1.LineUnknown }, v1alpha1.ConsortiumLinesReady, metav1.ConditionUnknown, "2/3 lines; no contact with the ends of the lines between org1 and org2"},
		{"one that has not reported", func(in *plan.Input) { in.Plans["org1"].Status.Lines = nil }, v1alpha1.ConsortiumLinesReady, metav1.ConditionTrue, "3/3 lines"},
		{"what the others say of the way back, only while it is not heard", func(in *plan.Input) { reaches(in, "org2", "org1").Reverse = v1alpha1.LineDown }, v1alpha1.ConsortiumLinesReady, metav1.ConditionTrue, "3/3 lines"},
		{"and then it counts", func(in *plan.Input) {
			setOffline(*in, "org1")
			reaches(in, "org2", "org1").Reverse = v1alpha1.LineDown
		}, v1alpha1.ConsortiumLinesReady, metav1.ConditionFalse, "2/3 lines; waiting for the line between org1 and org2 to come up"},
		{"what one says that is not online does not count", func(in *plan.Input) {
			setOffline(*in, "org1")
			reaches(in, "org1", "org2").State = v1alpha1.LineDown
		}, v1alpha1.ConsortiumLinesReady, metav1.ConditionTrue, "3/3 lines"},
		{"nobody is online", func(in *plan.Input) {
			for name := range in.Members {
				setOffline(*in, name)
			}
		}, v1alpha1.ConsortiumLinesReady, metav1.ConditionUnknown, "0/3 lines; no contact with the ends of the lines between org1 and org2 and 2 more"},
		{"the agent alone decides what its lines come to: what it reports of single ones is not looked at again", func(in *plan.Input) {
			report(*in, "org1", "org1-org2").State = v1alpha1.LineDown
		}, v1alpha1.ConsortiumLinesReady, metav1.ConditionTrue, "3/3 lines"},
		{"a line that is being deleted is no line", func(in *plan.Input) {
			in.Lines[0].DeletionTimestamp = &metav1.Time{Time: now}
		}, v1alpha1.ConsortiumLinesReady, metav1.ConditionFalse, "waiting for a Line between org1 and org2 to be declared"},
		{"who has to approve", func(in *plan.Input) {
			in.Plans["org3"].Status.Contracts[0].Approved = 0
		}, v1alpha1.ConditionReady, metav1.ConditionFalse, "3/3 members, 6/6 nodes, 3/3 lines, 1/1 channels, 0/1 contracts; waiting for org3 to approve contract notary"},
		{"everybody who has to approve", func(in *plan.Input) {
			in.Plans["org2"].Status.Contracts = nil
			in.Plans["org3"].Status.Contracts[0].Approved = 0
		}, v1alpha1.ConsortiumContractsReady, metav1.ConditionFalse, "0/1 contracts; waiting for org2, org3 to approve contract notary"},
		{"a contract that is at fault somewhere is named, with every member concerned", func(in *plan.Input) {
			setContractFault(in.Plans["org2"], "deals", "notary", v1alpha1.ReasonImageNotAllowed, "org2 does not allow the image")
			setContractFault(in.Plans["org3"], "deals", "notary", v1alpha1.ReasonFailed, "CrashLoopBackOff")
		}, v1alpha1.ConditionReady, metav1.ConditionFalse, "0/1 contracts; contract notary: org2: org2 does not allow the image; org3: CrashLoopBackOff"},
		{"a channel that is at fault somewhere is named", func(in *plan.Input) {
			c := &in.Plans["org2"].Status.Channels[0]
			c.Reason, c.Message = v1alpha1.ReasonGenesisRefused, "the first block is another one"
		}, v1alpha1.ConditionReady, metav1.ConditionFalse, "channel deals: org2: the first block is another one"},
		{"a fault of a member that is not online is ignored", func(in *plan.Input) {
			setContractFault(in.Plans["org2"], "deals", "notary", v1alpha1.ReasonFailed, "CrashLoopBackOff")
			setOffline(*in, "org2")
		}, v1alpha1.ConditionReady, metav1.ConditionUnknown, "no contact with org2"},
		{"an image that is being rolled out", func(in *plan.Input) { declareImage(in, "peer:2") }, v1alpha1.ConsortiumRolledOut, metav1.ConditionFalse, "rolling out: 3/6 nodes; waiting for peer0-org1 to become ready with image peer:2"},
		{"an image that could not be rolled out", failedRollout, v1alpha1.ConsortiumRolledOut, metav1.ConditionFalse, "rolling out image peer:2: peer0-org1 did not become ready with it (cannot be pulled) and goes back to image peer:1"},
		{"makes the consortium not ready", failedRollout, v1alpha1.ConditionReady, metav1.ConditionFalse, "peer:2"},
		{"an image that organizations do not allow", disallowedRollout, v1alpha1.ConsortiumRolledOut, metav1.ConditionFalse,
			"no other node is given it while an organization does not allow it: org1: org1 does not allow peer:2; org3: org3 does not allow peer:2"},
		{"makes the consortium not ready either", disallowedRollout, v1alpha1.ConditionReady, metav1.ConditionFalse, "org3: org3 does not allow peer:2"},
		{"an invalid channel", func(in *plan.Input) { in.Channels[0].Spec.Members = []string{"org1", "z"} }, v1alpha1.ConsortiumChannelsReady, metav1.ConditionFalse, "waiting for channel deals to be corrected (z is not a member"},
		{"an invalid consortium", func(in *plan.Input) { delete(in.Members, "org3") }, v1alpha1.ConditionReady, metav1.ConditionFalse, "there is no Member org3"},
		{"a consortium without channels", func(in *plan.Input) {
			in.Channels, in.Contracts = nil, nil
			for name, spec := range plan.Compute(*in).Plans {
				in.Plans[name].Spec = spec
			}
		}, v1alpha1.ConditionReady, metav1.ConditionTrue, "3/3 members, 6/6 nodes, 3/3 lines"},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := readyInput()
			c.change(&in)
			status := Consortium(in, plan.Compute(in), now)
			got := meta.FindStatusCondition(status.Conditions, c.condition)
			if got == nil || got.Status != c.status || !strings.Contains(got.Message, c.says) || got.ObservedGeneration != 7 {
				t.Errorf("got %+v, want %s with %q", got, c.status, c.says)
			}
		})
	}
}

// TestFaultIsInItsObjectsCondition: the faulty object has the reason in its own condition, and no other object has it.
func TestFaultIsInItsObjectsCondition(t *testing.T) {
	in := readyInput()
	other := in.Contracts[0].DeepCopy()
	other.Name = "asset"
	in.Contracts = append(in.Contracts, *other)
	for _, p := range in.Plans {
		report := p.Status.Contracts[0]
		report.Name = "asset"
		p.Status.Contracts = append(p.Status.Contracts, report)
	}
	setContractFault(in.Plans["org2"], "deals", "notary", v1alpha1.ReasonImageNotAllowed, "not here")
	setContractFault(in.Plans["org3"], "deals", "notary", v1alpha1.ReasonNotApproved, "not yet")
	res := plan.Compute(in)
	ready := func(conditions []metav1.Condition) *metav1.Condition {
		return meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	}
	notary := ready(Contract(in, res, &in.Contracts[0], now).Conditions)
	if notary.Reason != v1alpha1.ReasonImageNotAllowed || !strings.Contains(notary.Message, "org2: not here; org3: not yet") {
		t.Errorf("the contract: %+v", notary)
	}
	for what, c := range map[string]*metav1.Condition{
		"its channel":   ready(Channel(in, res, &in.Channels[0], now).Conditions),
		"the other one": ready(Contract(in, res, &in.Contracts[1], now).Conditions),
	} {
		if strings.Contains(c.Message, "not here") || c.Reason == v1alpha1.ReasonImageNotAllowed {
			t.Errorf("%s: %+v", what, c)
		}
	}
}

// BenchmarkLines computes the status of 2,016 lines between 64 Members.
func BenchmarkLines(b *testing.B) {
	in := fullMesh(64)
	b.ResetTimer()
	for range b.N {
		if _, up, pairs := lines(in); up != pairs || pairs != 2016 {
			b.Fatal(up, pairs)
		}
	}
}

// fullMesh is a consortium of size Members with a line that is up between every two.
func fullMesh(size int) plan.Input {
	in := plan.Input{
		Planner: planner.Planner{}, Consortium: &v1alpha1.Consortium{}, Members: map[string]*v1alpha1.Member{}, Plans: map[string]*v1alpha1.MemberPlan{},
	}
	for i := range size {
		name := fmt.Sprintf("org%02d", i)
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}
		setCondition(m, v1alpha1.MemberOnline, metav1.ConditionTrue)
		in.Members[name] = m
		for _, other := range in.Consortium.Spec.Members {
			addLine(&in, other.Name, name)
		}
		in.Consortium.Spec.Members = append(in.Consortium.Spec.Members, v1alpha1.ConsortiumMember{Name: name})
		in.Plans[name] = &v1alpha1.MemberPlan{}
	}
	reportReached(in)
	return in
}

func TestChannel(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*plan.Input)
		status metav1.ConditionStatus
		says   string
	}{
		{"everything is ready", func(*plan.Input) {}, metav1.ConditionTrue, "3/3 orderers, 3/3 peers"},
		{"the first block is to be made", func(in *plan.Input) {
			for _, p := range in.Plans {
				p.Spec.Channels[0].GenesisHash = ""
				p.Status.Channels = nil
			}
		}, metav1.ConditionFalse, "waiting for org1 to make the first block of channel deals"},
		{"why it was not made", func(in *plan.Input) {
			for _, p := range in.Plans {
				p.Spec.Channels[0].GenesisHash = ""
				p.Status.Channels = []v1alpha1.PlanChannelStatus{{Name: "deals", Message: "no record of org3"}}
			}
		}, metav1.ConditionFalse, "deals (no record of org3)"},
		{"a first block that one has not fetched yet", func(in *plan.Input) {
			in.Plans["org2"].Status.Channels = []v1alpha1.PlanChannelStatus{{Name: "deals", Message: "waiting for the first block from org1"}}
		}, metav1.ConditionFalse, "waiting for org2 to join its orderers to channel deals (waiting for the first block from org1)"},
		{"an orderer has not joined", func(in *plan.Input) { in.Plans["org2"].Status.Channels[0].Steps[0].Nodes = nil }, metav1.ConditionFalse, "2/3 orderers, 3/3 peers; waiting for org2 to join its orderers"},
		{"a peer has not joined", func(in *plan.Input) { in.Plans["org2"].Status.Channels[0].Steps[1].Nodes = []string{"peer7-org2"} }, metav1.ConditionFalse, "3/3 orderers, 2/3 peers; waiting for org2 to join its peers"},
		{"anchors are not set", func(in *plan.Input) { in.Plans["org2"].Status.Channels[0].Steps[2].Done = false }, metav1.ConditionFalse, "waiting for org2 to name its anchor peers"},
		{"two first blocks", func(in *plan.Input) { in.Plans["org3"].Status.Channels[0].GenesisHash = strings.Repeat("b", 64) }, metav1.ConditionFalse, "org3 holds another first block"},
		{"lost contact", func(in *plan.Input) { setOffline(*in, "org2") }, metav1.ConditionUnknown, "no contact with org2"},
		{"a member that is not in the channel does not matter", func(in *plan.Input) {
			in.Channels[0].Spec.Members = []string{"org1", "org2"}
			setOffline(*in, "org3")
		}, metav1.ConditionTrue, "2/2 orderers, 2/2 peers"},
		{"the consortium is not accepted", func(in *plan.Input) { delete(in.Members, "org3") }, metav1.ConditionFalse, "waiting for consortium trade to be accepted"},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := readyInput()
			c.change(&in)
			status := Channel(in, plan.Compute(in), &in.Channels[0], now)
			got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
			if got.Status != c.status || !strings.Contains(got.Message, c.says) {
				t.Errorf("got %+v, want %s with %q", got, c.status, c.says)
			}
		})
	}
}

func TestContract(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*plan.Input)
		status metav1.ConditionStatus
		says   string
	}{
		{"everything is ready", func(*plan.Input) {}, metav1.ConditionTrue, "approved by 3/3 members, runs at 3/3"},
		{"not run", func(in *plan.Input) { in.Plans["org2"].Status.Contracts[0].Running = false }, metav1.ConditionFalse, "runs at 2/3, answers at 3/3; waiting for org2 to run contract notary"},
		{"not answered for", func(in *plan.Input) { in.Plans["org2"].Status.Contracts[0].Serving = false }, metav1.ConditionFalse, "answers at 2/3; waiting for org2 to answer for contract notary"},
		{"reports of what was declared before", func(in *plan.Input) { in.Contracts[0].Spec.Version = "2" }, metav1.ConditionFalse, "approved by 0/3 members"},
		{"somebody has committed something else since", func(in *plan.Input) {
			in.Contracts[0].Status = v1alpha1.ContractStatus{Sequence: 1, Settled: true, DefinitionHash: in.Plans["org1"].Spec.Contracts[0].DefinitionHash()}
			for _, p := range in.Plans {
				p.Status.Contracts[0].Committed, p.Status.Contracts[0].Differs = 2, "version 9 on the ledger, 1.0 declared"
			}
		}, metav1.ConditionFalse, "sequence 2: version 9 on the ledger, 1.0 declared; to replace it"},
		{"not committed", func(in *plan.Input) {
			for _, p := range in.Plans {
				p.Status.Contracts[0].Committed = 0
			}
		}, metav1.ConditionFalse, "waiting for org1 to commit contract notary, and 2 more"},
		{"a report of another channel's contract of that name", func(in *plan.Input) { in.Plans["org3"].Status.Contracts[0].Channel = "x" }, metav1.ConditionFalse, "approved by 2/3"},
		{"lost contact", func(in *plan.Input) { setOffline(*in, "org1") }, metav1.ConditionUnknown, "no contact with org1"},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := readyInput()
			c.change(&in)
			status := Contract(in, plan.Compute(in), &in.Contracts[0], now)
			got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
			if got.Status != c.status || !strings.Contains(got.Message, c.says) {
				t.Errorf("got %+v, want %s with %q", got, c.status, c.says)
			}
		})
	}
}

func TestOrphanedContractKeepsItsSequence(t *testing.T) {
	c := &v1alpha1.Contract{Status: v1alpha1.ContractStatus{Sequence: 4, DefinitionHash: "aa", Committed: 4}}
	if s := OrphanedContract(c, plan.UnknownChannel(c), now); s.Sequence != 4 || s.DefinitionHash != "aa" {
		t.Errorf("the sequence was not kept: %+v", s)
	}
}

func TestLine(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*plan.Input)
		status metav1.ConditionStatus
		says   string
	}{
		{"both ends report it up", func(*plan.Input) {}, metav1.ConditionTrue, "org1 and org2 reach each other"},
		{"one end does not reach the other", func(in *plan.Input) {
			r := report(*in, "org2", "org1-org2")
			r.State, r.Reason = v1alpha1.LineDown, v1alpha1.LineUnreachable
		}, metav1.ConditionFalse, "org2 does not reach org1 at gw.org1:7443: no gateway answers there"},
		{"one end is not allowed to try", func(in *plan.Input) {
			r := report(*in, "org2", "org1-org2")
			r.State, r.Reason = v1alpha1.LineDown, v1alpha1.LineNotAllowed
		}, metav1.ConditionFalse, "org2 does not allow its gateway to dial that address"},
		{"one end is full", func(in *plan.Input) { report(*in, "org2", "org1-org2").Reason = v1alpha1.LineFull },
			metav1.ConditionTrue, "the gateway of org2 is at its limit"},
		{"one end is not online, but the other reports it", func(in *plan.Input) { setOffline(*in, "org2") }, metav1.ConditionTrue, ""},
		{"the far end has reported that it is down", func(in *plan.Input) {
			setOffline(*in, "org2")
			report(*in, "org1", "org1-org2").Reverse = v1alpha1.LineDown
		}, metav1.ConditionFalse, "reports that it does not reach the other"},
		{"one end is not online, and the other does not report it", func(in *plan.Input) {
			setOffline(*in, "org2")
			report(*in, "org1", "org1-org2").Reverse = ""
		}, metav1.ConditionUnknown, "no contact with org2"},
		{"neither is online", func(in *plan.Input) { setOffline(*in, "org1"); setOffline(*in, "org2") }, metav1.ConditionUnknown, "no contact with org1"},
		{"neither has probed it", func(in *plan.Input) {
			in.Members["org1"].Status.Lines = nil
			in.Members["org2"].Status.Lines = nil
		}, metav1.ConditionUnknown, "waiting for org1 and org2 to probe the line"},
		{"a report about another far end is ignored", func(in *plan.Input) {
			report(*in, "org1", "org1-org2").Member = "org3"
			report(*in, "org2", "org1-org2").Reverse = ""
		}, metav1.ConditionUnknown, "to probe the line"},
		{"an end that does not exist", func(in *plan.Input) { delete(in.Members, "org2") }, metav1.ConditionFalse, "there is no Member org2"},
	} {
		t.Run(c.why, func(t *testing.T) {
			in := readyInput()
			c.change(&in)
			got := meta.FindStatusCondition(Line(&in.Lines[0], in.Lines, in.Members, now).Conditions, v1alpha1.ConditionReady)
			if got.Status != c.status || !strings.Contains(got.Message, c.says) {
				t.Errorf("got %+v, want %s with %q", got, c.status, c.says)
			}
		})
	}
}

func TestConditionsKeepTheirTransitionTime(t *testing.T) {
	first := Conditions(nil, 1, now, map[string]Outcome{"B": {metav1.ConditionTrue, "R", "m"}, "A": {metav1.ConditionTrue, "R", "m"}})
	later := Conditions(first, 2, now.Add(time.Hour), map[string]Outcome{"B": {metav1.ConditionTrue, "R", "other"}, "A": {metav1.ConditionUnknown, "R", "m"}})
	if first[0].Type != "A" || later[1].LastTransitionTime != first[1].LastTransitionTime || later[0].LastTransitionTime == first[0].LastTransitionTime {
		t.Errorf("sorted, and only a changed status moves the time: %+v", later)
	}
}

func TestRetiringNamesMembers(t *testing.T) {
	in := readyInput()
	in.Consortium.Status = Consortium(in, plan.Compute(in), now)
	got := Retiring(in, []string{"org2", "org3"}, now).Conditions
	ready := meta.FindStatusCondition(got, v1alpha1.ConditionReady)
	if ready.Reason != v1alpha1.ReasonRetiring || !strings.Contains(ready.Message, "org2, org3") || !strings.Contains(ready.Message, v1alpha1.AnnotationAbandon+"=true") {
		t.Errorf("%+v", ready)
	}
	if len(got) != 9 {
		t.Errorf("the other conditions stay: %d", len(got))
	}
}
