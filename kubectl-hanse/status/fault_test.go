package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// settled is a Consortium of three organizations that is ready, with a line, a channel and a contract.
func settled() Snapshot {
	ready := readyIs("True", v1alpha1.ReasonReady, "ready")
	s := Snapshot{Planners: ledger.Planners{v1alpha1.LedgerFabric: planner.Planner{}}, Consortium: v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Name: "trade"}, Status: v1alpha1.ConsortiumStatus{Conditions: slices.Clone(ready)}}}
	names := []string{"org1", "org2", "org3"}
	for _, name := range names {
		var m MemberSnapshot
		m.Member.Name, m.Member.UID = name, "1"
		m.Member.Status.Conditions = []condition{{Type: v1alpha1.MemberOnline, Status: "True"}, {Type: v1alpha1.MemberRegistered, Status: "True", Reason: v1alpha1.ReasonRegistered}}
		m.Plan.Spec.Nodes = []v1alpha1.PlanNode{{Name: "peer0-" + name, Role: v1alpha1.RolePeer}}
		m.Plan.Spec.Channels = []v1alpha1.PlanChannel{{Name: "deals", Members: names}}
		m.Plan.Status = v1alpha1.MemberPlanStatus{
			Conditions: slices.Clone(ready),
			Nodes:      []v1alpha1.PlanNodeStatus{{Name: "peer0-" + name, Ready: true}},
			Channels:   []v1alpha1.PlanChannelStatus{{Name: "deals", GenesisHash: "aa"}},
			Contracts:  []v1alpha1.PlanContractStatus{{Name: "notary", Channel: "deals", Running: true, Definition: "dd", Approved: 1}},
		}
		s.Members = append(s.Members, m)
	}
	line := v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: "org1-org2"}}
	line.Spec.Ends = []v1alpha1.LineEnd{{Member: "org1", Address: "gw.org1", Port: 7443}, {Member: "org2", Address: "gw.org2", Port: 7443}}
	line.Status.Conditions = readyIs("True", v1alpha1.ReasonLineUp, "they reach each other")
	line.Status.Ends = []v1alpha1.LineEndStatus{{From: "org1", State: v1alpha1.LineUp}, {From: "org2", State: v1alpha1.LineUp}}
	s.Lines = []v1alpha1.Line{line}
	s.Channels = []v1alpha1.Channel{{ObjectMeta: metav1.ObjectMeta{Name: "deals"}, Status: v1alpha1.ChannelStatus{GenesisHash: "aa", Conditions: slices.Clone(ready)}}}
	s.Contracts = []v1alpha1.Contract{{ObjectMeta: metav1.ObjectMeta{Name: "notary"}, Spec: v1alpha1.ContractSpec{Channel: "deals"},
		Status: v1alpha1.ContractStatus{DefinitionHash: "dd", Conditions: slices.Clone(ready)}}}
	return s
}

// marked are the rows with a mark, as PATH: TEXT, but for headings.
func marked(r row, mark, path string) []string {
	var found []string
	path = strings.TrimPrefix(path+"/"+r.name, "/")
	if r.mark == mark && !slices.Contains([]string{"trade/members", "trade/lines", "trade/channels"}, path) {
		found = append(found, path+": "+r.text)
	}
	for _, child := range r.children {
		found = append(found, marked(child, mark, path)...)
	}
	return found
}

type faultRow struct {
	why    string
	change func(*Snapshot)
	// mark that has exactly the rows wanted, each by its path and how its text begins.
	mark string
	want []string
}

func contractOf(s *Snapshot, member int) *v1alpha1.PlanContractStatus {
	return &s.Members[member].Plan.Status.Contracts[0]
}

func planSays(s *Snapshot, member int, kind, reason, message string) {
	plan := &s.Members[member].Plan.Status
	plan.Conditions = append(plan.Conditions, condition{Type: kind, Status: "False", Reason: reason, Message: message})
}

// TestFaultsStandAtTheirObject: what is at fault is marked with the reason, at every organization concerned, and nothing
// else is.
func TestFaultsStandAtTheirObject(t *testing.T) {
	for _, table := range [][]faultRow{objectFaults, organizationFaults, lineFaultRows, noFaults} {
		for _, test := range table {
			s := settled()
			test.change(&s)
			top := consortiumRow(s, time.Time{})
			got := marked(top, test.mark, "")
			if len(got) != len(test.want) || !slices.EqualFunc(got, test.want, strings.HasPrefix) {
				t.Errorf("%s: rows with %s:\n  %s\nwant\n  %s\nof\n%s", test.why, test.mark, strings.Join(got, "\n  "), strings.Join(test.want, "\n  "), Tree(s, time.Time{}))
			}
			for i, heading := range []string{"members", "lines", "channels"} {
				at := slices.ContainsFunc(got, func(path string) bool { return strings.HasPrefix(path, "trade/"+heading+"/") })
				if test.mark == failed && (top.children[i].mark == failed) != at {
					t.Errorf("%s: the heading %s is marked %s", test.why, heading, top.children[i].mark)
				}
			}
		}
	}
}

var objectFaults = []faultRow{
	{"a consortium that is not accepted says why", func(s *Snapshot) {
		s.Consortium.Status.Conditions = readyIs("False", v1alpha1.ReasonNotFound, "there is no Member org9")
	}, failed, []string{"trade: there is no Member org9"}},
	{"a plan that the API server does not take is the consortium's own fault", func(s *Snapshot) {
		s.Consortium.Status.Conditions = append(s.Consortium.Status.Conditions,
			condition{Type: v1alpha1.ConsortiumPlansWritten, Status: "False", Reason: v1alpha1.ReasonPlanNotWritten, Message: "the plan of org2 cannot be written"})
	}, failed, []string{"trade/plans: the plan of org2"}},
	{"a contract is at fault at each organization that says so, its channel is not", func(s *Snapshot) {
		contractOf(s, 1).Reason, contractOf(s, 1).Message = v1alpha1.ReasonImageNotAllowed, "org2 does not allow the image"
		contractOf(s, 2).Reason, contractOf(s, 2).Message = v1alpha1.ReasonNotApproved, "org3 approves by hand"
	}, failed, []string{
		"trade/channels/deals/notary: ready", "trade/channels/deals/notary/at org2: org2 does not allow the image", "trade/channels/deals/notary/at org3: org3 approves by hand",
	}},
	{"a workload that does not come up says why", func(s *Snapshot) {
		contractOf(s, 0).Running, contractOf(s, 0).Reason, contractOf(s, 0).Message = false, v1alpha1.ReasonImagePull, "image x cannot be pulled"
	}, failed, []string{"trade/channels/deals/notary: ", "trade/channels/deals/notary/at org1: image x cannot be pulled"}},
	{"a reason without words is better than nothing", func(s *Snapshot) {
		contractOf(s, 0).Reason = v1alpha1.ReasonSecretMissing
	}, failed, []string{"trade/channels/deals/notary: ", "trade/channels/deals/notary/at org1: " + v1alpha1.ReasonSecretMissing}},
	{"a contract that the host finds at fault needs no organization to say so", func(s *Snapshot) {
		s.Contracts[0].Status.Conditions = readyIs("False", v1alpha1.ReasonDefinitionDiffers, "somebody has committed another definition")
	}, failed, []string{"trade/channels/deals/notary: somebody has committed"}},
	{"a channel is at fault where a node holds another ledger, its contract is not", func(s *Snapshot) {
		s.Members[2].Plan.Status.Channels[0].Reason, s.Members[2].Plan.Status.Channels[0].Message = v1alpha1.ReasonLedgerDiffers, "peer0-org3 holds another ledger"
	}, failed, []string{"trade/channels/deals: ", "trade/channels/deals/at org3: peer0-org3 holds another ledger"}},
	{"another first block is a fault, though its organization does not know", func(s *Snapshot) {
		s.Members[1].Plan.Status.Channels[0].GenesisHash = "bb"
	}, failed, []string{"trade/channels/deals: ", "trade/channels/deals/at org2: holds another first block"}},
}

var organizationFaults = []faultRow{
	{"a node at fault stands below its organization", func(s *Snapshot) {
		s.Members[1].Plan.Status.Nodes[0] = v1alpha1.PlanNodeStatus{Name: "peer0-org2", Reason: v1alpha1.ReasonStorageClassMissing, Message: "no StorageClass fast"}
		planSays(s, 1, v1alpha1.PlanNodesReady, v1alpha1.ReasonStorageClassMissing, "peer0-org2: no StorageClass fast")
	}, failed, []string{"trade/members/org2: ", "trade/members/org2/peer0-org2: no StorageClass fast"}},
	{"a node that goes on with what it had is at fault all the same", func(s *Snapshot) {
		s.Members[1].Plan.Status.Nodes[0].Reason, s.Members[1].Plan.Status.Nodes[0].Message = v1alpha1.ReasonImageNotAllowed, "not this image"
	}, failed, []string{"trade/members/org2: ", "trade/members/org2/peer0-org2: not this image"}},
	{"a rollout fails at the node that it went back at", func(s *Snapshot) {
		s.Consortium.Status.Rollout = &v1alpha1.RolloutStatus{Failed: true, Member: "org3", Node: "peer0-org3", Message: "CrashLoopBackOff",
			From: v1alpha1.NodeTemplate{Image: "peer:3.0"}, To: v1alpha1.NodeTemplate{Image: "peer:3.1"}}
		s.Consortium.Status.Conditions = append(s.Consortium.Status.Conditions,
			condition{Type: v1alpha1.ConsortiumRolledOut, Status: "False", Reason: v1alpha1.ReasonRolloutFailed, Message: "rolling out image peer:3.1"})
	}, failed, []string{"trade/members/org3: ", "trade/members/org3/peer0-org3: did not become ready with image peer:3.1, and goes back to image peer:3.0: CrashLoopBackOff", "trade/rollout: rolling out"}},
	{"what is wrong at no object stands at the step", func(s *Snapshot) {
		planSays(s, 0, v1alpha1.PlanTrusted, v1alpha1.ReasonRootChanged, "org2 has another root")
		planSays(s, 0, v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonCertManagerMissing, "install cert-manager")
		planSays(s, 2, v1alpha1.PlanMirrored, v1alpha1.ReasonLimitExceeded, "too many nodes")
	}, failed, []string{
		"trade/members/org1: ", "trade/members/org1/trust: org2 has another root", "trade/members/org1/identities: install cert-manager",
		"trade/members/org3: ", "trade/members/org3/plan: too many nodes",
	}},
	{"a step that failed at a contract is not said twice", func(s *Snapshot) {
		contractOf(s, 1).Reason, contractOf(s, 1).Message = v1alpha1.ReasonImageNotAllowed, "no"
		planSays(s, 1, v1alpha1.PlanContractsReady, v1alpha1.ReasonImageNotAllowed, "contract notary on deals: no")
	}, failed, []string{"trade/channels/deals/notary: ", "trade/channels/deals/notary/at org2: no"}},
	{"an organization's own plan says that it is at fault", func(s *Snapshot) {
		s.Members[1].Plan.Status.Conditions = readyIs("False", v1alpha1.ReasonImageNotAllowed, "contract notary: no")
	}, failed, []string{"trade/members/org2: contract notary: no"}},
	{"an invitation that has run out takes a new one", func(s *Snapshot) {
		s.Members[1].Member.Status.Conditions = []condition{{Type: v1alpha1.MemberRegistered, Status: "False", Reason: v1alpha1.ReasonInvitationExpired, Message: "the invitation has expired"}}
	}, failed, []string{"trade/members/org2: the invitation has expired"}},
	{"a shared credential is a fault that is True", func(s *Snapshot) {
		s.Members[0].Member.Status.Conditions = append(s.Members[0].Member.Status.Conditions,
			condition{Type: v1alpha1.MemberCredentialShared, Status: "True", Reason: v1alpha1.ReasonCredentialShared, Message: "two agents renew the Lease"})
	}, failed, []string{"trade/members/org1: ", "trade/members/org1/credential: two agents"}},
}

func lineEnds(s *Snapshot, first, second v1alpha1.LineEndStatus) {
	first.From, second.From = "org1", "org2"
	s.Lines[0].Status.Ends = []v1alpha1.LineEndStatus{first, second}
}

var lineFaultRows = []faultRow{
	{"each end of a line says what is wrong there", func(s *Snapshot) {
		s.Lines[0].Status.Conditions = readyIs("False", v1alpha1.ReasonLineDown, "org1 does not reach org2")
		lineEnds(s, v1alpha1.LineEndStatus{State: v1alpha1.LineDown, Reason: v1alpha1.LineUnreachable}, v1alpha1.LineEndStatus{State: v1alpha1.LineDown, Reason: v1alpha1.LineNotAllowed})
		planSays(s, 0, v1alpha1.PlanLinesReady, v1alpha1.ReasonLineDown, "no line is up to org2")
	}, failed, []string{
		"trade/lines/org1-org2: org1 does not reach org2", "trade/lines/org1-org2/at org1: does not reach org2: no gateway answers at gw.org2:7443",
		"trade/lines/org1-org2/at org2: does not reach org1: its own policy does not let its gateway dial gw.org1:7443",
	}},
	{"an end that is full is at fault while the line is up", func(s *Snapshot) {
		lineEnds(s, v1alpha1.LineEndStatus{State: v1alpha1.LineUp, Reason: v1alpha1.LineFull}, v1alpha1.LineEndStatus{State: v1alpha1.LineUp})
	}, failed, []string{"trade/lines/org1-org2: they reach", "trade/lines/org1-org2/at org1: its gateway is at its limit and refuses further connections from org2"}},
	{"a line that nobody has declared is missed by the organization", func(s *Snapshot) {
		planSays(s, 2, v1alpha1.PlanLinesReady, v1alpha1.ReasonNotFound, "there is no line to org1")
	}, failed, []string{"trade/members/org3: ", "trade/members/org3/lines: there is no line to org1"}},
	{"an end that has not tried waits", func(s *Snapshot) {
		s.Lines[0].Status.Conditions = readyIs("Unknown", v1alpha1.ReasonWaiting, "waiting for org1 and org2 to probe the line")
		lineEnds(s, v1alpha1.LineEndStatus{State: v1alpha1.LineUnknown, Reason: v1alpha1.LineNotProbed}, v1alpha1.LineEndStatus{State: v1alpha1.LineUp})
	}, waiting, []string{"trade/lines/org1-org2/at org1: has not tried"}},
}

var noFaults = []faultRow{
	{"nothing is wrong", func(*Snapshot) {}, failed, nil},
	{"nor does anything wait", func(*Snapshot) {}, waiting, nil},
	{"what waits is not at fault", func(s *Snapshot) {
		s.Contracts[0].Status.Conditions = readyIs("False", v1alpha1.ReasonWaiting, "waiting for org2 to run contract notary")
		contractOf(s, 1).Running = false
		contractOf(s, 2).Definition = "earlier"
		s.Members[0].Plan.Status.Nodes[0] = v1alpha1.PlanNodeStatus{Name: "peer0-org1", Message: "starting"}
	}, waiting, []string{
		"trade/members/org1/peer0-org1: starting", "trade/channels/deals/notary: waiting for org2",
		"trade/channels/deals/notary/at org2: its workload is not ready yet", "trade/channels/deals/notary/at org3: has not taken up yet",
	}},
	{"what waits is not at fault, and so there is none", func(s *Snapshot) {
		contractOf(s, 1).Running = false
		contractOf(s, 1).Reason, contractOf(s, 1).Message = v1alpha1.ReasonWaiting, "waiting for the channel"
		s.Consortium.Status.Conditions = readyIs("False", v1alpha1.ReasonRetiring, "waiting for org2 to remove the nodes")
	}, failed, nil},
	{"a plan that an agent has not reported of is waited for", func(s *Snapshot) {
		s.Members[2].Plan.Status.Channels, s.Members[2].Plan.Status.Contracts = nil, nil
	}, waiting, []string{"trade/channels/deals/at org3: has not reported", "trade/channels/deals/notary/at org3: has not reported"}},
	{"an invitation that stands is waited for", func(s *Snapshot) {
		s.Members[1].Member.Status.Conditions = []condition{{Type: v1alpha1.MemberRegistered, Status: "False", Reason: v1alpha1.ReasonInvited, Message: "not taken up yet"}}
	}, waiting, []string{"trade/members/org2: not taken up yet"}},
	{"an organization without a peer runs no contract", func(s *Snapshot) {
		s.Members[2].Plan.Spec.Nodes, s.Members[2].Plan.Status.Contracts = nil, nil
	}, waiting, nil},
	{"of what is out of contact nothing is known, faults included", func(s *Snapshot) {
		s.Members[1].Member.Status.Conditions[0].Status = "Unknown"
		contractOf(s, 1).Reason, contractOf(s, 1).Message = v1alpha1.ReasonImageNotAllowed, "no"
		planSays(s, 1, v1alpha1.PlanTrusted, v1alpha1.ReasonRootChanged, "another root")
	}, unknown, []string{
		"trade/members/org2: not heard of; last known: ready", "trade/members/org2/peer0-org2: ", "trade/lines/org1-org2/at org2: not heard of",
		"trade/channels/deals/at org2: not heard of; last known: nothing was wrong", "trade/channels/deals/notary/at org2: not heard of; last known: no",
	}},
}
