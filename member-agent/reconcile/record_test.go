package reconcile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/memorytest"
	"github.com/hanse-io/hanse/member-agent/identity"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
)

func TestWithSequence(t *testing.T) {
	now := time.Unix(100, 0)
	future := now.Add(time.Hour).UnixMicro()
	said := func(what string, sequence int64) *v1alpha1.StatementSpec {
		return &v1alpha1.StatementSpec{Member: "org1", Consortium: "trade", Kind: v1alpha1.StatementRecord, Payload: []byte(what), Sequence: sequence, Certificates: "chain"}
	}
	holdings := said("a", future)
	holdings.Kind = v1alpha1.StatementHoldings
	renewed := said("a", 5)
	renewed.Certificates = "chain that has ended"
	for _, row := range []struct {
		why       string
		says      string
		published []*v1alpha1.StatementSpec
		sequence  int64
		again     bool
	}{
		{"the first one", "a", nil, now.UnixMicro(), false},
		{"nothing has changed: the sequence stays, and so does the signature", "a", []*v1alpha1.StatementSpec{said("a", 5)}, 5, true},
		{"something has changed", "b", []*v1alpha1.StatementSpec{said("a", 5)}, now.UnixMicro(), false},
		{"the clock was ahead before: the sequence rises all the same", "b", []*v1alpha1.StatementSpec{said("a", future)}, future + 1, false},
		{"the others have a newer one than this cluster remembers", "a", []*v1alpha1.StatementSpec{said("a", 5), said("b", future)}, future + 1, false},
		{"the cluster was made anew and the others remember the same facts", "a", []*v1alpha1.StatementSpec{nil, said("a", 7)}, 7, true},
		{"a statement of another kind does not count", "a", []*v1alpha1.StatementSpec{holdings}, now.UnixMicro(), false},
		{"the same facts under a renewed certificate are a new statement to the others", "a", []*v1alpha1.StatementSpec{renewed}, now.UnixMicro(), false},
	} {
		t.Run(row.why, func(t *testing.T) {
			s, signed := withSequence(*said(row.says, 0), "chain", now, row.published...)
			if s.Sequence != row.sequence || (signed != nil) != row.again {
				t.Errorf("sequence %d, kept %v", s.Sequence, signed != nil)
			}
		})
	}
}

// TestRecordOfBareKeys: what the others know the member's nodes by is its certificates or its bare keys, whichever the ledger
// has, and nothing of a node that is not in the plan.
func TestRecordOfBareKeys(t *testing.T) {
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
		Member: "org1", Consortium: "trade",
		Nodes: []v1alpha1.PlanNode{{Name: "archive0-org1", Role: memorytest.RoleArchive}, {Name: "validator0-org1", Role: memorytest.RoleValidator}},
	}}
	issued := identity.Issued{
		Published:    map[string]string{"validator0-org1": "certificate"},
		PublicKeys:   map[string]string{"archive0-org1": "key", "archive1-org1": "of a node that is gone"},
		IdentityKeys: []string{"own key"},
	}
	want := v1alpha1.Record{
		Member: "org1", Consortium: "trade", MSPID: "org1MSP", IdentityKeys: []string{"own key"},
		Nodes: []v1alpha1.RecordNode{
			{Name: "archive0-org1", Role: memorytest.RoleArchive, Port: 9001, PublicKey: "key"},
			{Name: "validator0-org1", Role: memorytest.RoleValidator, Port: 9000, TLSCertificate: "certificate"},
		},
	}
	if d := cmp.Diff(want, buildRecord(plan, memorytest.Planner{}.Description(), issued, nil)); d != "" {
		t.Error(d)
	}
}

// TestWithFirstBlocks: what is pinned counts beside the certificates, and what a channel only names does not.
func TestWithFirstBlocks(t *testing.T) {
	issued := map[string]string{"peer0-org1-tls": "1"}
	got := withFirstBlocks(issued, []v1alpha1.PlanChannelStatus{{Name: "goods", GenesisHash: "aa"}, {Name: "deals"}})
	if d := cmp.Diff(map[string]string{"peer0-org1-tls": "1", "first-block.goods": "aa"}, got); d != "" {
		t.Error(d)
	}
	if len(issued) != 1 {
		t.Error("the certificates' own digests were changed")
	}
}

func TestValidateLines(t *testing.T) {
	plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{
		Member: "org1", Members: []v1alpha1.PlanMember{{Name: "org1"}, {Name: "org2"}},
		Lines: []v1alpha1.PlanLine{{Name: "a", Member: "org2"}, {Name: "b", Member: "org2"}},
	}}
	line := func(name string, state v1alpha1.LineState) v1alpha1.LineReport {
		return v1alpha1.LineReport{Name: name, Member: "org2", State: state}
	}
	full, notAllowed := line("a", v1alpha1.LineUp), line("a", v1alpha1.LineDown)
	full.Reason, notAllowed.Reason = v1alpha1.LineFull, v1alpha1.LineNotAllowed
	for _, row := range []struct {
		why    string
		plan   *v1alpha1.MemberPlan
		lines  []v1alpha1.LineReport
		status metav1.ConditionStatus
		reason string
	}{
		{"one of two lines is enough", plan, []v1alpha1.LineReport{line("a", v1alpha1.LineDown), line("b", v1alpha1.LineUp)}, metav1.ConditionTrue, v1alpha1.ReasonReady},
		{"none is up", plan, []v1alpha1.LineReport{line("a", v1alpha1.LineDown), line("b", v1alpha1.LineDown)}, metav1.ConditionFalse, v1alpha1.ReasonLineDown},
		{"the line that is up is full", plan, []v1alpha1.LineReport{full}, metav1.ConditionFalse, v1alpha1.ReasonLineFull},
		{"one of two is full", plan, []v1alpha1.LineReport{full, line("b", v1alpha1.LineUp)}, metav1.ConditionFalse, v1alpha1.ReasonLineFull},
		{"the far end is not allowed at home", plan, []v1alpha1.LineReport{notAllowed}, metav1.ConditionFalse, v1alpha1.ReasonLineNotAllowed},
		{"the gateway has said nothing yet: nobody can tell", plan, nil, metav1.ConditionUnknown, v1alpha1.ReasonWaiting},
		{"no line is declared", &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Members: plan.Spec.Members}}, nil, metav1.ConditionFalse, v1alpha1.ReasonNotFound},
		{"alone in a consortium there is nobody to reach", &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Members: plan.Spec.Members[:1]}}, nil, metav1.ConditionTrue, v1alpha1.ReasonReady},
	} {
		t.Run(row.why, func(t *testing.T) {
			status, reason, message := validateLines(row.plan, reachedMembers(row.plan, row.lines))
			if status != row.status || reason != row.reason {
				t.Errorf("%s %s (%s)", status, reason, message)
			}
		})
	}
}

// TestHoldingsShowFirstBlocks is what the others wait for before they join.
func TestHoldingsShowFirstBlocks(t *testing.T) {
	plan := validTestPlan()
	w := newLedgerController(nil, nil)
	plan.Status.Channels = []v1alpha1.PlanChannelStatus{{Name: "goods", GenesisHash: "aa"}, {Name: "fish"}}
	shown := holdings(w.channels(plan))
	if len(shown) != 1 || shown[0] != (v1alpha1.RecordChannel{Name: "goods", GenesisHash: "aa"}) {
		t.Errorf("what was reported last is shown before the ledger has come to anything: %v", shown)
	}
	w.plans[plan.Name] = &ledgerState{out: &agentledger.Progress{Channels: []v1alpha1.PlanChannelStatus{{Name: "goods", GenesisHash: "aa"}, {Name: "fish", GenesisHash: "bb"}}}}
	if shown = holdings(w.channels(plan)); len(shown) != 2 {
		t.Errorf("what has been pinned is shown at once, and not a turn later: %v", shown)
	}
}

func TestAddedProblems(t *testing.T) {
	status := func(reason string) []v1alpha1.PlanChannelStatus {
		return []v1alpha1.PlanChannelStatus{{Name: "goods", Reason: reason}}
	}
	for _, row := range []struct {
		why         string
		before, now string
		told        bool
	}{
		{"two first blocks", "", v1alpha1.ReasonGenesisDiffers, true},
		{"a person is told once", v1alpha1.ReasonGenesisDiffers, v1alpha1.ReasonGenesisDiffers, false},
		{"another problem takes its place", v1alpha1.ReasonGenesisDiffers, v1alpha1.ReasonLedgerDiffers, true},
		{"what waits mends itself", "", v1alpha1.ReasonWaiting, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			if told := len(addedProblems(status(row.before), status(row.now))) > 0; told != row.told {
				t.Errorf("told: %v", told)
			}
			registry := prometheus.NewRegistry()
			p := newProblemGauge(registry)
			p.set("trade", status(row.before))
			p.set("trade", status(row.now))
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			if shown := len(families) == 1 && len(families[0].Metric) == 1; shown != slices.Contains(permanentReasons, row.now) {
				t.Errorf("%v", families)
			}
		})
	}
}

// TestConflictingMSPIDs: whose record calls itself something else than the plan does is left out, and the records themselves, which
// others may be reading, are left as they are.
func TestConflictingMSPIDs(t *testing.T) {
	for _, row := range []struct {
		why, planned, said string
		differs            bool
	}{
		{"the usual name, which nobody has to write", "", "", false},
		{"the usual name, which only the record writes", "", "org2MSP", false},
		{"the usual name, which only the plan writes", "org2MSP", "", false},
		{"a chosen one", "Two", "Two", false},
		{"the plan has another one than was chosen", "Two", "Second", true},
		{"the record knows nothing of the chosen one", "Two", "", true},
		{"the plan knows nothing of the chosen one", "", "Two", true},
	} {
		t.Run(row.why, func(t *testing.T) {
			plan := &v1alpha1.MemberPlan{Spec: v1alpha1.MemberPlanSpec{Member: "org1", Members: []v1alpha1.PlanMember{{Name: "org1"}, {Name: "org2", MSPID: row.planned}}}}
			records := map[string]v1alpha1.Record{"org1": {Member: "org1"}, "org2": {Member: "org2", MSPID: row.said}}
			others := conflictingMSPIDs(plan, records)
			if why, differs := others["org2"]; differs != row.differs || differs && !strings.Contains(why, "ask that organization") || others["org1"] != "" {
				t.Errorf("got %v", others)
			}
			if len(records) != 2 || records["org2"].MSPID != row.said {
				t.Errorf("the records were changed: %v", records)
			}
		})
	}
}
