//go:build integration

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// digestOf is a digest, as those of statements are.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// receiveGenesis fakes an agent's handling of first blocks: it holds those that its plan refers to, and the leader, which
// creates them, publishes those that are requested or not in the plan yet. It returns how many it holds, and the size of the
// plan with its status in bytes.
func (a *agent) receiveGenesis(t *testing.T, consortium string, leads bool) (held, size int) {
	t.Helper()
	a.report(t, consortium, func(p *v1alpha1.MemberPlan) {
		size = len(encoded(t, p))
		before := map[string]bool{}
		for _, c := range p.Status.Channels {
			before[c.Name] = true
		}
		var statuses []v1alpha1.PlanChannelStatus
		for _, c := range p.Spec.Channels {
			if !leads && !before[c.Name] && c.Genesis == nil {
				continue
			}
			status := v1alpha1.PlanChannelStatus{Name: c.Name, GenesisHash: digestOf(c.Name)}
			if leads && (c.GenesisHash == "" || c.GenesisRequested) {
				status.Genesis = digestOf("statement of " + c.Name)
			}
			statuses = append(statuses, status)
		}
		p.Status.Channels, held = statuses, len(statuses)
	})
	return held, size
}

// TestManyChannels declares as many channels as a plan can have, lets the Members exchange references to all their first
// blocks, and declares one more channel. The objects in etcd must stay small at every step.
func TestManyChannels(t *testing.T) {
	namespace := namespaced(t)
	a, b := joined(t, "many1"), joined(t, "many2")
	trade(t, namespace, "many", "many1", "many2")
	for i := range v1alpha1.MaxPlanChannels {
		declare(t, namespace, fmt.Sprintf("kind: Channel\nmetadata: {name: c%03d}\nspec: {consortium: many}", i))
	}
	plan := planOf("many2", "many")
	eventually(t, "256 channels to be planned", func() error {
		if err := wholePlan(plan); err != nil || len(plan.Spec.Channels) < v1alpha1.MaxPlanChannels {
			return fmt.Errorf("%d are: %w", len(plan.Spec.Channels), err)
		}
		return nil
	})
	declare(t, namespace, fmt.Sprintf("kind: Channel\nmetadata: {name: c%03d}\nspec: {consortium: many}", v1alpha1.MaxPlanChannels))
	last := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("c%03d", v1alpha1.MaxPlanChannels)}}
	waitCondition(t, last, func() []metav1.Condition { return last.Status.Conditions }, v1alpha1.ConditionAccepted, metav1.ConditionFalse, "has no room for this channel")
	largest := 0
	eventually(t, "256 first blocks to be referred to", func() error {
		_, one := a.receiveGenesis(t, "many", true)
		held, other := b.receiveGenesis(t, "many", false)
		largest = max(largest, one, other)
		if held < v1alpha1.MaxPlanChannels {
			return fmt.Errorf("%d are held", held)
		}
		return nil
	})
	// 256 channels with a name, a hash, a reference and two digests in the status, for the agent joined with the definition: no
	// block is among them.
	if largest > 256<<10 {
		t.Errorf("a plan and its status had %d bytes", largest)
	}
	t.Logf("the largest plan, with its status, had %d bytes", largest)
	eventually(t, "the references to leave the plans", func() error {
		a.receiveGenesis(t, "many", true)
		if err := wholePlan(plan); err != nil {
			return err
		}
		for _, c := range plan.Spec.Channels {
			if c.Genesis != nil || c.GenesisHash == "" {
				return fmt.Errorf("channel %s: %+v, hash %q", c.Name, c.Genesis, c.GenesisHash)
			}
		}
		return nil
	})
	// What they share is stored once, and every reader has it all the same.
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MemberPlan"))
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), raw))
	spec, _, err := unstructured.NestedMap(raw.Object, "spec")
	must(t, err)
	if spec["channels"] != nil || spec["members"] != nil || len(plan.Spec.Channels[0].Members) != 2 || plan.Spec.Channels[0].Leader != "many1" {
		t.Errorf("stored %v, read %+v", spec, plan.Spec.Channels[0])
	}
}

// TestRejectedPlan lets the API server reject one Member's plan: the Consortium's condition says so, the other Member's plan
// is written, and so is the rejected one once the cause is removed.
func TestRejectedPlan(t *testing.T) {
	namespace := namespaced(t)
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "no-plan-for-taken2"}}
	policy.Spec = admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule:       admissionv1.Rule{APIGroups: []string{v1alpha1.GroupName}, APIVersions: []string{"*"}, Resources: []string{"memberplans"}},
			},
		}}},
		Validations: []admissionv1.Validation{{Expression: "object.metadata.namespace != 'hanse-member-taken2'", Message: "the cluster's owner says no"}},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: policy.Name}}
	binding.Spec = admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}}
	must(t, admin.Create(ctx, policy))
	must(t, admin.Create(ctx, binding))
	t.Cleanup(func() { _ = admin.Delete(ctx, binding); _ = admin.Delete(ctx, policy) })
	joined(t, "taken1")
	joined(t, "taken2")
	eventually(t, "the policy to come into force", func() error {
		p := planOf("taken2", "probe")
		p.Spec = v1alpha1.MemberPlanSpec{Member: "taken2", Consortium: "probe", ConsortiumNamespace: "default", Namespace: "hanse-probe", Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric}, Members: []v1alpha1.PlanMember{{Name: "taken2", Role: v1alpha1.RoleParticipant}}}
		if err := admin.Create(ctx, p, client.DryRunAll); err == nil {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	trade(t, namespace, "taken", "taken1", "taken2")
	waitConsortium(t, namespace, "taken", v1alpha1.ConsortiumPlansWritten, metav1.ConditionFalse, "the plan of taken2 cannot be written")
	waitConsortium(t, namespace, "taken", v1alpha1.ConditionReady, metav1.ConditionFalse, "the cluster's owner says no")
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(planOf("taken1", "taken")), planOf("taken1", "taken")))
	must(t, admin.Delete(ctx, binding))
	waitConsortium(t, namespace, "taken", v1alpha1.ConsortiumPlansWritten, metav1.ConditionTrue, "")
}
