package status

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// told are the waits as KIND NAME at MEMBER: STATE MESSAGE.
func told(all []Wait) []string {
	var out []string
	for _, w := range all {
		text := w.Kind + " " + w.Name
		if w.Member != "" {
			text += " at " + w.Member
		}
		out = append(out, text+": "+string(w.State)+" "+w.Message)
	}
	return out
}

func TestConsortiumDocumentWaits(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(*Snapshot)
		ready  bool
		want   []string
	}{
		{"nothing waits", func(*Snapshot) {}, true, nil},
		{"a consortium that is not accepted says so itself", func(s *Snapshot) {
			s.Consortium.Status.Conditions = readyIs("False", v1alpha1.ReasonNotFound, "there is no Member org9")
		}, false, []string{"Consortium trade: Failed there is no Member org9"}},
		{"an organization out of contact is not known", func(s *Snapshot) {
			s.Members[1].Member.Status.Conditions = nil
		}, true, []string{"Member org2 at org2: Unknown not heard of", "Node peer0-org2 at org2: Unknown", "Line org1-org2 at org2: Unknown", "Channel deals at org2: Unknown", "Contract notary at org2: Unknown"}},
		{"a node at fault is told with its organization", func(s *Snapshot) {
			s.Members[0].Plan.Status.Nodes[0] = v1alpha1.PlanNodeStatus{Name: "peer0-org1", Role: v1alpha1.RolePeer, Reason: v1alpha1.ReasonImagePull, Message: "cannot be pulled"}
		}, true, []string{"Node peer0-org1 at org1: Failed cannot be pulled"}},
		{"a contract waits where it is not done, and for nobody else", func(s *Snapshot) {
			contractOf(s, 2).Reason, contractOf(s, 2).Message = v1alpha1.ReasonNotApproved, "org3 approves by hand"
		}, true, []string{"Contract notary at org3: Failed org3 approves by hand"}},
		{"a channel of which only the host says something", func(s *Snapshot) {
			s.Channels[0].Status.Conditions = readyIs("False", v1alpha1.ReasonWaiting, "waiting for the orderers")
		}, false, []string{"Channel deals: Waiting waiting for the orderers"}},
	} {
		s := settled()
		s.Consortium.Generation, s.Channels[0].Generation, s.Contracts[0].Generation = 1, 1, 1
		row.change(&s)
		d := consortiumDocument(s)
		if got := told(d.WaitsFor); len(got) != len(row.want) || !slices.EqualFunc(got, row.want, strings.HasPrefix) || d.Ready != row.ready {
			t.Errorf("%s: ready %v, waits\n  %s\nwant\n  %s", row.why, d.Ready, strings.Join(got, "\n  "), strings.Join(row.want, "\n  "))
		}
	}
}

// TestConsortiumDocumentShape holds the names of the fields, on which scripts rely.
func TestConsortiumDocumentShape(t *testing.T) {
	s := settled()
	s.Consortium.Generation, s.Channels[0].Generation, s.Contracts[0].Generation = 1, 1, 1
	text, err := json.Marshal(consortiumDocument(s))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Name, State, Ledger string
		Ready               bool
		Conditions          []metav1.Condition
		Members             []struct {
			Name, State string
			Online      bool
			Nodes       []struct{ Name, Role, State string }
		}
		Lines []struct {
			Name, State string
			Ends        []struct{ From, State string }
		}
		Channels  []struct{ Name, State, GenesisHash string }
		Contracts []struct{ Name, Channel, State string }
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.Name != "trade" || d.State != "Ready" || d.Ledger != "Fabric" || !d.Ready || len(d.Conditions) != 1 {
		t.Errorf("the consortium: %s", text)
	}
	if len(d.Members) != 3 || !d.Members[0].Online || d.Members[0].Nodes[0].Name != "peer0-org1" || d.Members[0].Nodes[0].State != "Ready" {
		t.Errorf("the members: %+v", d.Members)
	}
	if len(d.Lines) != 1 || d.Lines[0].Ends[1].From != "org2" || d.Lines[0].Ends[1].State != "Up" || d.Channels[0].GenesisHash != "aa" || d.Contracts[0].Channel != "deals" {
		t.Errorf("lines %+v, channels %+v, contracts %+v", d.Lines, d.Channels, d.Contracts)
	}
}

func TestOrganizationDocument(t *testing.T) {
	plan := v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Name: "trade"}}
	plan.Spec.Member = "org1"
	if got := told(organizationDocument(plan).WaitsFor); !slices.Equal(got, []string{"Consortium trade at org1: Unknown not taken up yet"}) {
		t.Errorf("a plan that the agent has not looked at waits for the agent: %q", got)
	}
	plan.Status = v1alpha1.MemberPlanStatus{
		Conditions: []condition{
			{Type: v1alpha1.ConditionReady, Status: "False", Reason: v1alpha1.ReasonWaiting, Message: "waiting for org2"},
			{Type: v1alpha1.PlanMirrored, Status: "True"},
			{Type: v1alpha1.PlanContractsReady, Status: "False", Reason: v1alpha1.ReasonWaiting, Message: "waiting for org2"},
		},
		Nodes:     []v1alpha1.PlanNodeStatus{{Name: "peer0-org1", Role: v1alpha1.RolePeer, Ready: true}},
		Contracts: []v1alpha1.PlanContractStatus{{Name: "notary", Channel: "deals", Approved: 1, Message: "org2 has not approved"}},
	}
	d := organizationDocument(plan)
	want := []string{"Step contracts at org1: Waiting waiting for org2", "Contract notary at org1: Waiting org2 has not approved"}
	if got := told(d.WaitsFor); !slices.Equal(got, want) || d.Ready || len(d.Steps) != 2 || d.Nodes[0].Role != string(v1alpha1.RolePeer) || d.Contracts[0].Approved != 1 {
		t.Errorf("%+v", d)
	}
}

func TestWideTree(t *testing.T) {
	s := settled()
	s.Members[0].Member.Status.Agent = v1alpha1.MemberAgent{Version: "0.1.0", KubernetesVersion: "v1.37.2"}
	contractOf(&s, 2).Reason, contractOf(&s, 2).Message = v1alpha1.ReasonNotApproved, "org3 approves by hand"
	plain, wide := Tree(s, time.Time{}), WideTree(s, time.Time{})
	for _, more := range []string{"(agent 0.1.0, Kubernetes v1.37.2)", "org3 approves by hand [" + v1alpha1.ReasonNotApproved + "]"} {
		if strings.Contains(plain, more) || !strings.Contains(wide, more) {
			t.Errorf("%q belongs to the wide tree alone:\n%s\n%s", more, plain, wide)
		}
	}
}
