package memorytest_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/memorytest"
	"github.com/hanse-io/hanse/member-agent/identity"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/ledgertest"
	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// declared is a consortium of three members on this ledger, with a channel and a contract, as the host sees it at first.
func declared() plan.Input {
	in := plan.Input{
		Planner: memorytest.Planner{},
		Consortium: &v1alpha1.Consortium{
			ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: "trade"},
			Spec:       v1alpha1.ConsortiumSpec{Ledger: v1alpha1.LedgerSpec{Type: memorytest.Type}},
		},
		Channels: []v1alpha1.Channel{{ObjectMeta: metav1.ObjectMeta{Name: "deals"}, Spec: v1alpha1.ChannelSpec{Consortium: "trade"}}},
		Contracts: []v1alpha1.Contract{{
			ObjectMeta: metav1.ObjectMeta{Name: "notary"}, Spec: v1alpha1.ContractSpec{Channel: "deals", Image: "example.com/notary:1"},
		}},
		Members: map[string]*v1alpha1.Member{}, Plans: map[string]*v1alpha1.MemberPlan{},
	}
	for i, name := range []string{"org1", "org2", "org3"} {
		role := v1alpha1.RoleParticipant
		if i == 0 {
			role = v1alpha1.RoleLeader
		}
		in.Consortium.Spec.Members = append(in.Consortium.Spec.Members, v1alpha1.ConsortiumMember{Name: name, Role: role})
		m := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}
		for _, kind := range []string{v1alpha1.MemberOnline, v1alpha1.MemberRegistered} {
			meta.SetStatusCondition(&m.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: "Test"})
		}
		in.Members[name] = m
	}
	return in
}

// TestAnotherLedger takes a ledger that is like no other from what is declared to a ready consortium, through what host and
// agents compute.
func TestAnotherLedger(t *testing.T) {
	in, driver := declared(), memorytest.New()
	planned := plan.Compute(in)
	if !planned.Consortium.Accepted {
		t.Fatal(planned.Consortium.Message)
	}
	for name, spec := range planned.Plans {
		in.Plans[name] = &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Name: "trade"}, Spec: spec}
		runNodes(t, driver, in.Plans[name])
	}
	if s := status.Channel(in, plan.Compute(in), &in.Channels[0], now); !strings.Contains(message(s.Conditions), "waiting for org1 to make the first block") {
		t.Errorf("at first: %s", message(s.Conditions))
	}
	untilAllAreReady(t, driver, in)
	result := plan.Compute(in)
	channel := status.Channel(in, result, &in.Channels[0], now)
	if got := message(channel.Conditions); got != "3/3 archives, 3/3 validators" {
		t.Errorf("the channel: %s", got)
	}
	if got := status.Consortium(in, result, now); got.NodesSummary != "6/6" || got.ChannelsSummary != "1/1" || got.ContractsSummary != "1/1" || got.Rollout != nil {
		t.Errorf("the consortium: %s", message(got.Conditions))
	}
	in.Plans["org2"].Status.Channels[0].Steps = slices.DeleteFunc(in.Plans["org2"].Status.Channels[0].Steps, func(s v1alpha1.PlanStep) bool {
		return s.Name == memorytest.StepAnnounce
	})
	if got := message(status.Channel(in, result, &in.Channels[0], now).Conditions); !strings.Contains(got, "waiting for org2 to announce itself on channel deals") {
		t.Errorf("a step that is not done: %s", got)
	}
}

func message(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Message
	}
	return ""
}

// runNodes checks what the agent makes of a plan in its cluster, and reports it as running.
func runNodes(t *testing.T, driver *memorytest.Driver, p *v1alpha1.MemberPlan) {
	t.Helper()
	member := p.Spec.Member
	planners := ledger.Planners{memorytest.Type: memorytest.Planner{}}
	if certificates := identity.Certificates(p, ledger.IdentityAuthority, driver.Identities(p)); len(certificates) != 1 {
		t.Errorf("cert-manager is asked for %d objects, where an issuer is all that bare keys leave", len(certificates))
	}
	workloads, err := driver.Workloads(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	objects := slices.Concat(nodes.Policies(p, planners.Describe(p), nodes.Agent{Namespace: "hanse-system"}, nodes.Network{}), nodes.Budgets(p))
	for _, w := range workloads {
		set := nodes.Desired(p, w, nil)
		objects = append(objects, set.Supporting...)
		made = append(made, set.StatefulSet.Name)
		p.Status.Nodes = append(p.Status.Nodes, v1alpha1.PlanNodeStatus{Name: w.Name, Role: w.Node.Role, Ready: true, Image: w.Node.Image})
	}
	for _, want := range []string{"hanse-archives", "hanse-validators", "archives", "validators", "archive0-" + member} {
		if !slices.ContainsFunc(objects, func(o client.Object) bool { return o.GetName() == want }) {
			t.Errorf("nothing is called %s", want)
		}
	}
	if want := []string{"archive0-" + member, "validator0-" + member}; !slices.Equal(made, want) {
		t.Errorf("runs %v, not %v", made, want)
	}
	routes := line.Compute([]v1alpha1.MemberPlan{*p}, nil, member, line.Cluster{Planners: planners})
	host := v1alpha1.NodeHost("validator0-"+member, "trade")
	if got := routes.Local[host]; !strings.HasSuffix(got, ":9000") || len(routes.Remote) != 6 {
		t.Errorf("routes lead to %q, and to %v", got, slices.Collect(maps.Keys(routes.Remote)))
	}
}

// untilAllAreReady runs the ledger phases of every agent, with a host and gossip in between, as often as it takes.
func untilAllAreReady(t *testing.T, driver *memorytest.Driver, in plan.Input) {
	t.Helper()
	pins, records, statements := map[string]*ledgertest.Pins{}, map[string]v1alpha1.Record{}, &ledgertest.Exchange{}
	for name := range in.Plans {
		pins[name] = &ledgertest.Pins{}
	}
	for range 5 {
		ready := true
		for name, spec := range plan.Compute(in).Plans {
			in.Plans[name].Spec = spec
		}
		for _, name := range slices.Sorted(maps.Keys(in.Plans)) {
			p := in.Plans[name]
			progress := advance(t, driver, p, records, pins[name], statements.Of(name))
			ready = ready && progress.ChannelsReady.Ready && progress.ContractsReady.Ready
			p.Status.Channels, p.Status.Contracts = progress.Channels, progress.Contracts
			for i := range p.Status.Contracts {
				p.Status.Contracts[i].Running = true
			}
			record := v1alpha1.Record{Member: name, Consortium: "trade"}
			for _, c := range p.Status.Channels {
				record.Channels = append(record.Channels, v1alpha1.RecordChannel{Name: c.Name, GenesisHash: c.GenesisHash})
			}
			records[name] = record
		}
		if ready {
			return
		}
	}
	for name, p := range in.Plans {
		t.Errorf("%s: %+v %+v", name, p.Status.Channels, p.Status.Contracts)
	}
}

func advance(t *testing.T, driver *memorytest.Driver, p *v1alpha1.MemberPlan, records map[string]v1alpha1.Record, pins *ledgertest.Pins, blocks agentledger.Blocks) agentledger.Progress {
	t.Helper()
	session, err := driver.Open(context.Background(), p, records, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	description := memorytest.Planner{}.Description()
	progress := agentledger.Advance(context.Background(), session, agentledger.Input{
		Plan: p, Description: description, Previous: p.Status, Records: records, Pins: pins, Blocks: blocks,
		Running: func(v1alpha1.PlanContract) bool { return true },
	})
	for _, c := range progress.Channels {
		profile, err := driver.Connection(p, []string{c.Name}, records)
		if err != nil || len(description.Holders(c)) > 0 && !strings.Contains(profile[v1alpha1.ConnectionProfile], "archive0-"+p.Spec.Member+".hanse-trade:9001") {
			t.Errorf("applications are told %q, %v", profile, err)
		}
	}
	return progress
}
