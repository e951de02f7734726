package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/ledger/memorytest"
	"github.com/hanse-io/hanse/member-agent/identity"
	"github.com/hanse-io/hanse/member-agent/ledger/ledgertest"
	"github.com/hanse-io/hanse/member-agent/line"
	"github.com/hanse-io/hanse/member-agent/nodes"
	"github.com/hanse-io/hanse/statement"
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
		if got := firstBlocksOf(set.StatefulSet); w.Node.Role == memorytest.RoleArchive && !slices.Equal(got, []string{"first-block.deals as deals.gz"}) {
			t.Errorf("%s starts from the first blocks %q", w.Name, got)
		}
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

// organization is a member's agent as far as its keys go: a root of its own, the certificate it signs statements with, and the
// bare keys that the ledger asks for.
type organization struct {
	name, root, chain string
	signer            crypto.Signer
	keys              map[string]ledger.KeyPair
}

func newOrganization(t *testing.T, p *v1alpha1.MemberPlan, identities []ledger.Identity) *organization {
	t.Helper()
	name := p.Spec.Member
	authority, err := fabrictest.NewAuthority(name)
	must(t, err)
	pair, err := authority.Issue(ledger.Identity{CommonName: name, DNSNames: []string{v1alpha1.AgentServerName(name)}, Server: true, Client: true})
	must(t, err)
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	must(t, err)
	o := &organization{
		name: name, root: string(authority.PEM), chain: string(pair.Certificate),
		signer: certificate.PrivateKey.(crypto.Signer), keys: map[string]ledger.KeyPair{},
	}
	for _, id := range identities {
		public, private, err := ed25519.GenerateKey(nil)
		must(t, err)
		key, err := x509.MarshalPKCS8PrivateKey(private)
		must(t, err)
		shown, err := x509.MarshalPKIXPublicKey(public)
		must(t, err)
		o.keys[id.Name] = ledger.KeyPair{
			Key:    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
			Public: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: shown}),
		}
	}
	return o
}

func (o *organization) key(_ context.Context, name string) (ledger.KeyPair, error) {
	pair, ok := o.keys[name]
	if !ok {
		return pair, fmt.Errorf("%s has no key %s", o.name, name)
	}
	return pair, nil
}

// record is the signed statement of what the member says about itself: its nodes and the keys that they are known by.
func (o *organization) record(t *testing.T, p *v1alpha1.MemberPlan, identities []ledger.Identity, sequence int64) v1alpha1.StatementSpec {
	t.Helper()
	r := v1alpha1.Record{Member: o.name, Consortium: "trade", Sequence: sequence}
	published := map[string]string{}
	for _, id := range identities {
		if published[id.Node] = string(o.keys[id.Name].Public); id.Node == "" {
			r.IdentityKeys = append(r.IdentityKeys, published[id.Node])
		}
	}
	for _, n := range p.Spec.Nodes {
		port := int32(memorytest.Planner{}.Description().Port(n.Role))
		r.Nodes = append(r.Nodes, v1alpha1.RecordNode{Name: n.Name, Role: n.Role, Port: port, PublicKey: published[n.Name]})
	}
	unsigned, err := statement.NewRecord(r)
	must(t, err)
	s, err := statement.Sign(o.signer, o.chain, unsigned, statement.Content)
	must(t, err)
	return s
}

// verified is the record in a statement that has come from somewhere, as the others' agents take it.
func (o *organization) verified(s v1alpha1.StatementSpec) (v1alpha1.Record, error) {
	if err := statement.Verify(&s, o.root, o.name, "trade", time.Now(), statement.Content); err != nil {
		return v1alpha1.Record{}, err
	}
	return statement.Record(&s)
}

// firstBlocksOf are the first blocks that a node finds in its pod.
func firstBlocksOf(set *appsv1.StatefulSet) (all []string) {
	for _, v := range set.Spec.Template.Spec.Volumes {
		if v.Name != ledger.FirstBlocksVolume || v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			all = append(all, s.ConfigMap.Name+" as "+s.ConfigMap.Items[0].Path)
		}
	}
	return all
}

// untilAllAreReady runs the ledger phases of every agent, with a host and gossip in between, as often as it takes.
func untilAllAreReady(t *testing.T, driver *memorytest.Driver, in plan.Input) {
	t.Helper()
	agents, organizations := ledgertest.Agents{}, map[string]*organization{}
	statements := &ledgertest.Exchange{}
	for _, name := range slices.Sorted(maps.Keys(in.Plans)) {
		p := in.Plans[name]
		o := newOrganization(t, p, driver.Identities(p))
		record, err := o.verified(o.record(t, p, driver.Identities(p), 1))
		must(t, err)
		organizations[name] = o
		agents = append(agents, &ledgertest.Agent{
			Driver: driver, Description: memorytest.Planner{}.Description(), Plan: p, Record: &record, Keys: o.key, Statements: statements,
		})
	}
	for range 5 {
		for name, spec := range plan.Compute(in).Plans {
			in.Plans[name].Spec = spec
		}
		results, err := agents.Advance(t.Context())
		must(t, err)
		ready := true
		for i, progress := range results {
			p := agents[i].Plan
			ready = ready && progress.ChannelsReady.Ready && progress.ContractsReady.Ready
			for j := range p.Status.Contracts {
				p.Status.Contracts[j].Running = true
			}
			checkConnection(t, driver, p, progress.Channels)
		}
		if ready {
			forgedKey(t, driver, agents, organizations)
			return
		}
	}
	for name, p := range in.Plans {
		t.Errorf("%s: %+v %+v", name, p.Status.Channels, p.Status.Contracts)
	}
}

// checkConnection checks what applications are told.
func checkConnection(t *testing.T, driver *memorytest.Driver, p *v1alpha1.MemberPlan, channels []v1alpha1.PlanChannelStatus) {
	t.Helper()
	for _, c := range channels {
		profile, err := driver.Connection(p, []string{c.Name}, nil)
		holds := len(memorytest.Planner{}.Description().Holders(c)) > 0
		if err != nil || holds && !strings.Contains(profile[v1alpha1.ConnectionProfile], "archive0-"+p.Spec.Member+".hanse-trade:9001") {
			t.Errorf("applications are told %q, %v", profile, err)
		}
	}
}

// forgedKey has somebody on the way put another key into a member's record: nobody takes the record. A key that the member
// itself had changed would come through, and then what it has signed before counts for nothing.
func forgedKey(t *testing.T, driver *memorytest.Driver, agents ledgertest.Agents, organizations map[string]*organization) {
	t.Helper()
	contract := agents[0].Plan.Spec.Contracts[0]
	commit := func(records map[string]v1alpha1.Record) error {
		session, err := driver.Open(t.Context(), agents[0].Plan, records, agents[0].Keys)
		must(t, err)
		return session.Commit(t.Context(), contract)
	}
	records := agents.Records()
	must(t, commit(records))
	p := agents[1].Plan
	honest, other := organizations[p.Spec.Member], newOrganization(t, p, driver.Identities(p))
	for _, row := range []struct {
		why  string
		by   *organization
		want error
	}{
		{"the host, or who else hands it on, with an organization of its own making", other, statement.ErrUntrusted},
		{"the member itself", &organization{name: honest.name, root: honest.root, chain: honest.chain, signer: honest.signer, keys: other.keys}, nil},
	} {
		s := row.by.record(t, p, driver.Identities(p), 2)
		record, err := honest.verified(s)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.why, err, row.want)
		}
		if err != nil {
			continue
		}
		records[p.Spec.Member] = record
		if err := commit(records); !errors.Is(err, ledger.ErrNotApproved) || !strings.Contains(err.Error(), "is not signed with the key in its record") {
			t.Errorf("%s: committed all the same: %v", row.why, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
