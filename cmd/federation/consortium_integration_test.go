//go:build integration

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

func declare(t *testing.T, namespace string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		must(t, admin.Create(ctx, object(t, text, namespace)))
	}
}

// trade declares a Consortium of joined Members, the first of them its Leader.
func trade(t *testing.T, namespace, name string, members ...string) {
	t.Helper()
	var list []string
	for i, member := range members {
		role := ""
		if i == 0 {
			role = ", role: Leader"
		}
		list = append(list, "{name: "+member+role+"}")
	}
	declare(t, namespace, "kind: Consortium\nmetadata: {name: "+name+"}\nspec: {members: ["+strings.Join(list, ", ")+"]}")
}

func planOf(member, consortium string) *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace(member), Name: consortium}}
}

// waitCondition waits until an object's condition has a status and a message that holds a text.
func waitCondition(t *testing.T, o client.Object, conditions func() []metav1.Condition, kind string, status metav1.ConditionStatus, says string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s of %s to be %s", kind, o.GetName(), status), func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		c := meta.FindStatusCondition(conditions(), kind)
		if c == nil || c.Status != status || !strings.Contains(c.Message, says) || c.ObservedGeneration != o.GetGeneration() {
			return fmt.Errorf("generation %d, want %q, conditions: %+v", o.GetGeneration(), says, conditions())
		}
		return nil
	})
}

func waitConsortium(t *testing.T, namespace, name, kind string, status metav1.ConditionStatus, says string) *v1alpha1.Consortium {
	t.Helper()
	c := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	waitCondition(t, c, func() []metav1.Condition { return c.Status.Conditions }, kind, status, says)
	return c
}

// TestConsortiumFromDeclarationToReady fakes the agents from the first plan to the committed contract.
func TestConsortiumFromDeclarationToReady(t *testing.T) {
	namespace := namespaced(t)
	a, b := joined(t, "ready1"), joined(t, "ready2")
	agents := []*agent{a, b}
	trade(t, namespace, "ready", "ready1", "ready2")
	declare(t, namespace,
		"kind: Channel\nmetadata: {name: deals}\nspec: {consortium: ready}",
		"kind: Contract\nmetadata: {name: notary}\nspec: {channel: deals, template: notary}")
	waitConsortium(t, namespace, "ready", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for")
	waitConsortium(t, namespace, "ready", v1alpha1.ConsortiumLinesReady, metav1.ConditionFalse, "a Line between ready1 and ready2 to be declared")
	declare(t, namespace, "kind: Line\nmetadata: {name: ready}\nspec: {ends: [{member: ready1, address: 192.0.2.21}, {member: ready2, address: 192.0.2.22}]}")

	for i, x := range agents {
		far := agents[1-i].member
		x.reportMember(t, func(s *v1alpha1.MemberStatus) {
			s.Root = "root of " + x.member
			s.Lines = []v1alpha1.LineReport{{Name: "ready", Member: far, State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp, RTTMicroseconds: 900}}
		})
		x.report(t, "ready", func(p *v1alpha1.MemberPlan) {
			p.Status.Record, p.Status.Holdings = digestOf("record of "+x.member), digestOf("holdings of "+x.member)
			p.Status.Lines = []v1alpha1.PlanLineStatus{{Member: far, Line: "ready", State: v1alpha1.LineUp, Reverse: v1alpha1.LineUp}}
			startNodes(p)
		})
		x.follow(t, "ready")
	}
	line := &v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: "ready"}}
	waitCondition(t, line, func() []metav1.Condition { return line.Status.Conditions }, v1alpha1.ConditionReady, metav1.ConditionTrue, "reach each other")

	plan := planOf("ready2", "ready")
	eventually(t, "roots and records to reach the other's plan", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), plan))
		if m := plan.Spec.Members[0]; m.Root != "root of ready1" || m.Record != digestOf("record of ready1") || m.Holdings != digestOf("holdings of ready1") {
			return fmt.Errorf("member %+v", m)
		}
		if len(plan.Spec.Lines) != 1 || plan.Spec.Lines[0].Address != "192.0.2.21" || plan.Spec.Lines[0].LocalPort != 7443 {
			return fmt.Errorf("lines %+v", plan.Spec.Lines)
		}
		return nil
	})

	waitConsortium(t, namespace, "ready", v1alpha1.ConsortiumChannelsReady, metav1.ConditionFalse, "waiting for ready1 to make the first block of channel deals")
	a.report(t, "ready", func(p *v1alpha1.MemberPlan) {
		p.Status.Channels = []v1alpha1.PlanChannelStatus{{Name: "deals", Genesis: digestOf("block 0"), GenesisHash: strings.Repeat("a", 64)}}
	})
	eventually(t, "the other's plan to refer to the first block", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), plan))
		if c := plan.Spec.Channels; len(c) != 1 || c[0].Genesis == nil || *c[0].Genesis != (v1alpha1.StatementRef{Member: "ready1", Digest: digestOf("block 0")}) || c[0].GenesisHash != strings.Repeat("a", 64) {
			return fmt.Errorf("channels %+v", c)
		}
		return nil
	})
	for _, x := range agents {
		x.report(t, "ready", func(p *v1alpha1.MemberPlan) {
			p.Status.Channels = []v1alpha1.PlanChannelStatus{{
				Name: "deals", GenesisHash: strings.Repeat("a", 64), Height: 3,
				Steps: []v1alpha1.PlanStep{
					{Name: planner.StepJoinOrderers, Nodes: []string{"orderer0-" + x.member}, Done: true},
					{Name: planner.StepJoinPeers, Nodes: []string{"peer0-" + x.member}, Done: true}, {Name: planner.StepSetAnchors, Done: true},
				},
			}}
		})
	}
	channel := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "deals"}}
	waitCondition(t, channel, func() []metav1.Condition { return channel.Status.Conditions }, v1alpha1.ConditionReady, metav1.ConditionTrue, "2/2 orderers, 2/2 peers")
	eventually(t, "the reference to leave the plans of those who hold the block", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), plan))
		if c := plan.Spec.Channels[0]; c.Genesis != nil || c.GenesisHash != strings.Repeat("a", 64) || c.GenesisRequested {
			return fmt.Errorf("channel %+v", c)
		}
		return nil
	})

	a.report(t, "ready", func(p *v1alpha1.MemberPlan) {
		p.Status.Contracts = notaryReport(p, 0)
	})
	waitConsortium(t, namespace, "ready", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for ready2 to approve contract notary")
	for _, x := range agents {
		x.report(t, "ready", func(p *v1alpha1.MemberPlan) {
			p.Status.Contracts = notaryReport(p, 1)
		})
	}
	ready := waitConsortium(t, namespace, "ready", v1alpha1.ConditionReady, metav1.ConditionTrue, "2/2 members, 4/4 nodes")
	if ready.Status.NodesSummary != "4/4" || ready.Status.ContractsSummary != "1/1" {
		t.Errorf("summaries %+v", ready.Status)
	}

	contract := &v1alpha1.Contract{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "notary"}}
	must(t, admin.Patch(ctx, contract, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"version":"1.1"}}`))))
	eventually(t, "the changed definition to get the next number", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), plan))
		if c := plan.Spec.Contracts; len(c) != 1 || c[0].Sequence != 2 || c[0].Version != "1.1" {
			return fmt.Errorf("contract %+v", c)
		}
		return nil
	})
	waitConsortium(t, namespace, "ready", v1alpha1.ConsortiumContractsReady, metav1.ConditionFalse, "waiting for ready1, ready2 to approve contract notary")

	for _, x := range agents {
		x.report(t, "ready", func(p *v1alpha1.MemberPlan) {
			p.Status.Contracts = notaryReport(p, 2)
			p.Status.Contracts[0].Approved = 2
		})
	}
	waitCondition(t, contract, func() []metav1.Condition { return contract.Status.Conditions }, v1alpha1.ConditionReady, metav1.ConditionTrue, "approved by 2/2 members")
	for _, x := range agents {
		x.report(t, "ready", func(p *v1alpha1.MemberPlan) {
			p.Status.Contracts = notaryReport(p, 7)
			p.Status.Contracts[0].Differs = "version 9 on the ledger, 1.1 declared"
		})
	}
	waitCondition(t, contract, func() []metav1.Condition { return contract.Status.Conditions }, v1alpha1.ConditionReady, metav1.ConditionFalse,
		"sequence 7: version 9 on the ledger, 1.1 declared; to replace it, change the Contract")
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(contract), contract))
	if contract.Status.Committed != 7 || contract.Status.Sequence != 2 {
		t.Errorf("the ledger has sequence 7, and the status says %+v", contract.Status)
	}
	must(t, admin.Patch(ctx, contract, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"image":"example.com/notary:2","template":null}}`))))
	eventually(t, "people declare something new, which comes after the ledger's", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), plan))
		if c := plan.Spec.Contracts; len(c) != 1 || c[0].Sequence != 8 {
			return fmt.Errorf("contract %+v", c)
		}
		return nil
	})
}

// notaryReport is what an agent reports of a contract that it has approved, and that its ledger has under a sequence.
func notaryReport(p *v1alpha1.MemberPlan, committed int64) []v1alpha1.PlanContractStatus {
	report := v1alpha1.PlanContractStatus{Name: "notary", Channel: "deals", Running: true, Approved: 1, Committed: committed, Serving: committed > 0}
	for _, c := range p.Spec.Contracts {
		report.Definition = c.DefinitionHash()
	}
	return []v1alpha1.PlanContractStatus{report}
}

func TestNotAccepted(t *testing.T) {
	namespace := namespaced(t)
	joined(t, "ref1")
	joined(t, "ref2")
	joined(t, "ref3")
	trade(t, namespace, "refused", "ref1", "ref2")
	trade(t, namespace, "unknown", "ref1", "nobody")
	declare(t, namespace,
		"kind: Channel\nmetadata: {name: outsider}\nspec: {consortium: refused, members: [ref1, ref3]}",
		"kind: Channel\nmetadata: {name: lone}\nspec: {consortium: none}",
		"kind: Channel\nmetadata: {name: policy}\nspec: {consortium: refused, endorsement: {rule: OutOf, count: 1, members: [ref3]}}",
		"kind: Channel\nmetadata: {name: good}\nspec: {consortium: refused}",
		"kind: Contract\nmetadata: {name: lone}\nspec: {channel: nowhere, template: notary}",
		"kind: Contract\nmetadata: {name: on-bad}\nspec: {channel: outsider, template: notary}",
		"kind: Contract\nmetadata: {name: policy}\nspec: {channel: good, template: notary, endorsement: {rule: OutOf, count: 1, members: [ref3]}}",
		"kind: Line\nmetadata: {name: ref-nowhere}\nspec: {ends: [{member: ref1, address: 192.0.2.31}, {member: nobody, address: 192.0.2.32}]}")
	waitConsortium(t, namespace, "unknown", v1alpha1.ConditionAccepted, metav1.ConditionFalse, "there is no Member nobody")
	waitConsortium(t, namespace, "refused", v1alpha1.ConditionAccepted, metav1.ConditionTrue, "")
	for name, says := range map[string]string{"outsider": "ref3 is not a member", "lone": "there is no Consortium none", "policy": "never be met"} {
		c := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		waitCondition(t, c, func() []metav1.Condition { return c.Status.Conditions }, v1alpha1.ConditionAccepted, metav1.ConditionFalse, says)
	}
	for name, says := range map[string]string{"lone": "there is no Channel nowhere", "on-bad": "channel outsider is not accepted", "policy": "never be met"} {
		c := &v1alpha1.Contract{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		waitCondition(t, c, func() []metav1.Condition { return c.Status.Conditions }, v1alpha1.ConditionAccepted, metav1.ConditionFalse, says)
	}
	line := &v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: "ref-nowhere"}}
	waitCondition(t, line, func() []metav1.Condition { return line.Status.Conditions }, v1alpha1.ConditionAccepted, metav1.ConditionFalse, "there is no Member nobody")

	plan := planOf("ref1", "refused")
	eventually(t, "a plan with the good channel", func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(plan), plan); err != nil {
			return err
		}
		if !slices.ContainsFunc(plan.Spec.Channels, func(c v1alpha1.PlanChannel) bool { return c.Name == "good" }) {
			return fmt.Errorf("channels %+v", plan.Spec.Channels)
		}
		return nil
	})
	if len(plan.Spec.Channels) != 1 || len(plan.Spec.Contracts) != 0 {
		t.Errorf("objects that are not accepted are in the plan: %+v %+v", plan.Spec.Channels, plan.Spec.Contracts)
	}
	// The older one has the name.
	younger := namespaced(t)
	older := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "refused"}}
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(older), older))
	eventually(t, "the second in which the older one was made to pass", func() error {
		if !time.Now().After(older.CreationTimestamp.Add(time.Second)) {
			return errors.New("it has not")
		}
		return nil
	})
	trade(t, younger, "refused", "ref2", "ref3")
	waitConsortium(t, younger, "refused", v1alpha1.ConditionAccepted, metav1.ConditionFalse, "member ref2 already takes part in the older consortium refused of namespace "+namespace)
	// The Consortium is accepted once the missing Member is created.
	joined(t, "nobody")
	waitConsortium(t, namespace, "unknown", v1alpha1.ConditionAccepted, metav1.ConditionTrue, "")
	eventually(t, "the plan of a Member that came later", func() error {
		p := planOf("nobody", "unknown")
		return admin.Get(ctx, client.ObjectKeyFromObject(p), p)
	})
}

func TestMemberThatHasNotRegisteredIsWaitedFor(t *testing.T) {
	namespace := namespaced(t)
	joined(t, "wait1")
	must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "wait2"}}))
	trade(t, namespace, "waits", "wait1", "wait2")
	waitConsortium(t, namespace, "waits", v1alpha1.ConditionAccepted, metav1.ConditionTrue, "")
	waitConsortium(t, namespace, "waits", v1alpha1.ConsortiumMembersOnline, metav1.ConditionFalse, "1/2 members; waiting for wait2 to register an agent")
	eventually(t, "its plan to lie ready", func() error {
		p := planOf("wait2", "waits")
		return admin.Get(ctx, client.ObjectKeyFromObject(p), p)
	})
}

func TestLostContactIsUnknown(t *testing.T) {
	namespace := namespaced(t)
	a := newAgent(t, "lost")
	a.register(t, invite(t, "lost", "first", time.Hour))
	a.renew(t, 300)
	trade(t, namespace, "lost", "lost")
	a.report(t, "lost", startNodes)
	waitConsortium(t, namespace, "lost", v1alpha1.ConditionReady, metav1.ConditionTrue, "1/1 members, 2/2 nodes")
	a.renew(t, 1)
	waitConsortium(t, namespace, "lost", v1alpha1.ConditionReady, metav1.ConditionUnknown, "no contact with lost")
	waitConsortium(t, namespace, "lost", v1alpha1.ConsortiumNodesReady, metav1.ConditionUnknown, "no contact with lost")
	a.renew(t, 300)
	waitConsortium(t, namespace, "lost", v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

func waitGone(t *testing.T, o client.Object) {
	t.Helper()
	eventually(t, o.GetName()+" to be gone", func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(o), o); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %w, finalizers %v", err, o.GetFinalizers())
		}
		return nil
	})
}

func TestRetire(t *testing.T) {
	namespace := namespaced(t)
	a, b := joined(t, "retire1"), joined(t, "retire2")
	trade(t, namespace, "retire", "retire1", "retire2")
	declare(t, namespace, "kind: Channel\nmetadata: {name: kept}\nspec: {consortium: retire}")
	for _, member := range []string{"retire1", "retire2"} {
		eventually(t, "a plan with the channel", func() error {
			p := planOf(member, "retire")
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil || len(p.Spec.Channels) == 0 {
				return fmt.Errorf("channels %v: %w", p.Spec.Channels, err)
			}
			return nil
		})
	}
	c := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "retire"}}
	must(t, admin.Delete(ctx, c))
	// The status says whom it waits for as soon as the Consortium is deleted; the plans may follow a moment later.
	for _, member := range []string{"retire1", "retire2"} {
		eventually(t, "a plan to retire", func() error {
			p := planOf(member, "retire")
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil || !p.Spec.Retire {
				return fmt.Errorf("retire %v: %w", p.Spec.Retire, err)
			}
			return nil
		})
	}
	retired := func(p *v1alpha1.MemberPlan) {
		if !p.Spec.Retire || len(p.Spec.Channels) != 1 {
			t.Errorf("a plan to retire is the old one with Retire set, got retire=%v channels=%v", p.Spec.Retire, p.Spec.Channels)
		}
		meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{Type: v1alpha1.PlanRetired, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady})
	}
	waitConsortium(t, namespace, "retire", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for retire1, retire2 to remove the nodes")
	a.report(t, "retire", retired)
	waitConsortium(t, namespace, "retire", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for retire2 to remove the nodes")
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(planOf("retire1", "retire")), planOf("retire1", "retire")))
	b.report(t, "retire", retired)
	waitGone(t, c)
	waitGone(t, planOf("retire1", "retire"))
	waitGone(t, planOf("retire2", "retire"))
}

func TestAbandon(t *testing.T) {
	namespace := namespaced(t)
	here := joined(t, "abandon1")
	must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "abandon2"}}))
	trade(t, namespace, "abandon", "abandon1", "abandon2")
	eventually(t, "plans", func() error {
		p := planOf("abandon2", "abandon")
		return admin.Get(ctx, client.ObjectKeyFromObject(p), p)
	})
	here.report(t, "abandon", nil)
	c := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "abandon"}}
	must(t, admin.Delete(ctx, c))
	waitConsortium(t, namespace, "abandon", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for abandon1, abandon2 to remove the nodes")
	must(t, admin.Patch(ctx, c, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"`+v1alpha1.AnnotationAbandon+`":"true"}}}`))))
	// The one that can be reached is waited for all the same.
	waitConsortium(t, namespace, "abandon", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for abandon1 to remove the nodes")
	here.report(t, "abandon", func(p *v1alpha1.MemberPlan) {
		meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{Type: v1alpha1.PlanRetired, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady})
	})
	waitGone(t, c)
}

func TestDeletedMemberIsNotWaitedFor(t *testing.T) {
	namespace := namespaced(t)
	joined(t, "gone1")
	trade(t, namespace, "gone", "gone1")
	eventually(t, "a plan", func() error {
		p := planOf("gone1", "gone")
		return admin.Get(ctx, client.ObjectKeyFromObject(p), p)
	})
	c := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "gone"}}
	must(t, admin.Delete(ctx, c))
	waitConsortium(t, namespace, "gone", v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for gone1")
	must(t, admin.Delete(ctx, getMember(t, "gone1")))
	waitGone(t, c)
}

// arrivals records when each contract is first in a Member's plan, as the agent's watch sees it.
type arrivals struct {
	mu    sync.Mutex
	seen  map[string]time.Time
	plans int
}

func watchPlans(t *testing.T, member string) *arrivals {
	t.Helper()
	watcher, err := client.NewWithWatch(config, client.Options{Scheme: admin.Scheme()})
	must(t, err)
	events, err := watcher.Watch(ctx, &v1alpha1.MemberPlanList{}, client.InNamespace(v1alpha1.MemberNamespace(member)))
	must(t, err)
	t.Cleanup(events.Stop)
	a := &arrivals{seen: map[string]time.Time{}}
	go func() {
		for event := range events.ResultChan() {
			if p, ok := event.Object.(*v1alpha1.MemberPlan); ok {
				_ = whole(admin, p) // fails for one that the next one has overtaken
				a.note(p, time.Now())
			}
		}
	}()
	return a
}

func (a *arrivals) note(p *v1alpha1.MemberPlan, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plans++
	for _, c := range p.Spec.Contracts {
		if a.seen[c.Name].IsZero() {
			a.seen[c.Name] = at
		}
	}
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plans
}

func (a *arrivals) wait(t *testing.T, name string) time.Time {
	t.Helper()
	var at time.Time
	eventually(t, "a plan with contract "+name, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if at = a.seen[name]; at.IsZero() {
			return errors.New("not yet")
		}
		return nil
	})
	return at
}

// TestPlansAreFast measures the time from the response to a declaration until the agent's watch has the new plan: one change
// at a time, and a hundred at once.
func TestPlansAreFast(t *testing.T) {
	namespace := namespaced(t)
	for _, member := range []string{"fast1", "fast2", "fast3"} {
		joined(t, member)
	}
	trade(t, namespace, "fast", "fast1", "fast2", "fast3")
	declare(t, namespace, "kind: Channel\nmetadata: {name: f}\nspec: {consortium: fast}")
	agent := watchPlans(t, "fast1")
	create := func(name string) time.Time {
		must(t, admin.Create(ctx, &v1alpha1.Contract{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec:       v1alpha1.ContractSpec{Channel: "f", Template: v1alpha1.TemplateNotary},
		}))
		return time.Now()
	}
	var single []time.Duration
	for i := range 20 {
		name := fmt.Sprintf("single%d", i)
		at := create(name)
		single = append(single, agent.wait(t, name).Sub(at))
	}
	began, before := time.Now(), agent.count()
	declared := map[string]time.Time{}
	for i := range 100 {
		name := fmt.Sprintf("burst%d", i)
		declared[name] = create(name)
	}
	took := time.Since(began)
	var burst []time.Duration
	for name, at := range declared {
		burst = append(burst, agent.wait(t, name).Sub(at))
	}
	slices.Sort(single)
	slices.Sort(burst)
	t.Logf("one at a time: median %s, worst %s; a hundred in %s: median %s, p99 %s, in %d plans",
		single[10], single[19], took, burst[50], burst[98], agent.count()-before)
}
