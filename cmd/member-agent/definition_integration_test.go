//go:build integration

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// largeDefinition is that of a consortium of 64 members with channels among them all, as the host would have it.
func largeDefinition(channels int) *v1alpha1.Definition {
	sample := samplePlan("trade", "org1").Spec
	d := &v1alpha1.Definition{
		Consortium: sample.Consortium, ConsortiumNamespace: sample.ConsortiumNamespace, Ledger: sample.Ledger, Members: sample.Members,
	}
	for i := len(d.Members) + 1; i <= 64; i++ {
		name := fmt.Sprintf("org%d", i)
		d.Members = append(d.Members, v1alpha1.PlanMember{Name: name, Role: v1alpha1.RoleParticipant, Nodes: []v1alpha1.PlanMemberNode{
			{Name: "peer0-" + name, Role: v1alpha1.RolePeer, Port: 7051},
		}})
	}
	var names []string
	for _, m := range d.Members {
		names = append(names, m.Name)
	}
	for i := range channels {
		d.Channels = append(d.Channels, v1alpha1.PlanChannel{
			Name: fmt.Sprintf("channel-%03d", i), Members: names, Leader: "org1", Endorsement: v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority},
			Batch: v1alpha1.Batch{MaxMessages: 500},
		})
	}
	return d
}

// publish writes a definition to the host; change may falsify it.
func publish(t *testing.T, host *cluster, d *v1alpha1.Definition, change func(*v1alpha1.ConsortiumDefinitionSpec)) {
	t.Helper()
	ctx := context.Background()
	object := &v1alpha1.ConsortiumDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace("trade"), Name: "trade"}}
	err := host.Get(ctx, client.ObjectKeyFromObject(object), object)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	object.Spec = d.Encode()
	if change != nil {
		change(&object.Spec)
	}
	if apierrors.IsNotFound(err) {
		host.apply(t, object)
	} else if err := host.Update(ctx, object); err != nil {
		t.Fatal(err)
	}
}

// refer writes the plan to the host, as one that refers to a definition.
func refer(t *testing.T, host *cluster, d *v1alpha1.Definition) {
	t.Helper()
	ctx := context.Background()
	p := samplePlan("trade", "org1")
	whole := p.Spec
	whole.Members, whole.Channels = d.Members, d.Channels
	own, ok := d.Split(&whole, d.Encode().Digest)
	if !ok {
		t.Fatal("the plan cannot be split")
	}
	err := host.Get(ctx, client.ObjectKeyFromObject(p), p)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	if p.Spec = own; apierrors.IsNotFound(err) {
		host.apply(t, p)
		return
	}
	patch := client.MergeFrom(&v1alpha1.MemberPlan{ObjectMeta: *p.ObjectMeta.DeepCopy()})
	if err := host.Patch(ctx, p, patch); err != nil {
		t.Fatal(err)
	}
}

// mirrored waits until the mirror has so many channels, and all members.
func mirrored(own *cluster, channels int) func(context.Context) error {
	return func(ctx context.Context) error {
		var p v1alpha1.MemberPlan
		if err := own.Get(ctx, client.ObjectKey{Namespace: agentNamespace, Name: "trade"}, &p); err != nil {
			return err
		}
		if len(p.Spec.Channels) != channels || len(p.Spec.Members) != 64 || p.Spec.Definition != nil || len(p.Spec.Channels[0].Members) != 64 {
			return fmt.Errorf("%d channels, %d members, definition %+v", len(p.Spec.Channels), len(p.Spec.Members), p.Spec.Definition)
		}
		return nil
	}
}

// mirrorSays waits until the host is told why the plan is not mirrored, or that it is.
func mirrorSays(host *cluster, says string) func(context.Context) error {
	return func(ctx context.Context) error {
		var p v1alpha1.MemberPlan
		if err := host.Get(ctx, client.ObjectKey{Namespace: v1alpha1.MemberNamespace("org1"), Name: "trade"}, &p); err != nil {
			return err
		}
		c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.PlanMirrored)
		switch {
		case c == nil:
			return errors.New("there is no condition")
		case says == "" && c.Status == metav1.ConditionTrue:
			return nil
		case says != "" && c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonConsortiumDefinition && strings.Contains(c.Message, says):
			return nil
		}
		return fmt.Errorf("%+v", *c)
	}
}

// TestDefinition: the agent of a large consortium gets its plan in two parts, of which the larger one is the same for all. What
// is not the definition that the plan names is not used, and the plan that there was stays in effect.
func TestDefinition(t *testing.T) {
	host := startCluster(t, "../../charts/federation/crds")
	own := startCluster(t, "../../charts/member-agent/crds")
	own.namespace(t, agentNamespace)
	own.chart(t)
	prepareHost(t, host)
	user := rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: v1alpha1.MemberUser("org1")}
	host.apply(t, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace("trade"), Name: "definition"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"consortiumdefinitions"}, Verbs: []string{"get"}}},
	})
	host.apply(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace("trade"), Name: "definition"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "definition"}, Subjects: []rbacv1.Subject{user},
	})
	registerMember(t, own, host, "org1")
	stop := startAgent(t, own)

	first, second, third := largeDefinition(100), largeDefinition(101), largeDefinition(102)
	publish(t, host, first, nil)
	refer(t, host, first)
	eventually(t, "the plan arrives with its definition", mirrored(own, 100))
	eventually(t, "and is reported on", mirrorSays(host, ""))

	// As the controller does it: the definition first. The agent that looks in between waits for its plan.
	publish(t, host, second, nil)
	refer(t, host, second)
	eventually(t, "so does the next one", mirrored(own, 101))

	// The other way round, as no controller does it: the plan waits for its definition.
	refer(t, host, third)
	eventually(t, "a definition that is missing for long is reported", mirrorSays(host, "does not have the definition"))
	if err := mirrored(own, 101)(context.Background()); err != nil {
		t.Errorf("the plan that there was has not stayed: %v", err)
	}
	publish(t, host, third, func(s *v1alpha1.ConsortiumDefinitionSpec) { s.Content = first.Encode().Content })
	refer(t, host, second) // what the agent has read before is not asked for again
	refer(t, host, third)
	eventually(t, "a definition with another content is rejected", mirrorSays(host, "its content has the digest "+first.Encode().Digest))
	if err := mirrored(own, 101)(context.Background()); err != nil {
		t.Errorf("the plan that there was has not stayed: %v", err)
	}
	stop()
	startAgent(t, own)
	publish(t, host, third, nil)
	eventually(t, "the right one arrives after a restart", mirrored(own, 102))
	eventually(t, "and nothing is wrong any more", mirrorSays(host, ""))

	ctx := context.Background()
	if err := host.Delete(ctx, &v1alpha1.ConsortiumDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace("trade"), Name: "trade"}}); err != nil {
		t.Fatal(err)
	}
	p := samplePlan("trade", "org1")
	if err := host.Patch(ctx, p, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"retire":true}}`))); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a consortium retires without its definition", hasCondition(host, client.ObjectKeyFromObject(p), v1alpha1.PlanRetired, metav1.ConditionTrue, v1alpha1.ReasonReady))
}
