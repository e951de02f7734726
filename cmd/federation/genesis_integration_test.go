//go:build integration

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// receiveGenesis fakes an agent's handling of first blocks: it holds those in its plan, and the leader, which creates them, publishes
// those that are requested or not in the plan yet, up to the limit of a status. It returns how many it holds.
func (a *agent) receiveGenesis(t *testing.T, consortium string, leads bool, block []byte) (held, size int) {
	t.Helper()
	a.report(t, consortium, func(p *v1alpha1.MemberPlan) {
		raw, err := json.Marshal(p)
		must(t, err)
		size = len(raw)
		before := map[string]bool{}
		for _, c := range p.Status.Channels {
			before[c.Name] = true
		}
		room, statuses := v1alpha1.MaxGenesisBytes, []v1alpha1.PlanChannelStatus{}
		for _, c := range p.Spec.Channels {
			if !leads && !before[c.Name] && len(c.Genesis) == 0 {
				continue
			}
			sum := sha256.Sum256([]byte(c.Name))
			status := v1alpha1.PlanChannelStatus{Name: c.Name, GenesisHash: hex.EncodeToString(sum[:])}
			if leads && (c.GenesisHash == "" || c.GenesisRequested) && room >= len(block) {
				status.Genesis = block
				room -= len(block)
			}
			statuses = append(statuses, status)
		}
		p.Status.Channels, held = statuses, len(statuses)
	})
	return held, size
}

// TestManyChannels declares as many channels as a plan can have, distributes all their first blocks, and declares one more
// channel. The objects in etcd must stay small at every step.
func TestManyChannels(t *testing.T) {
	namespace := namespaced(t)
	a, b := joined(t, "many1"), joined(t, "many2")
	trade(t, namespace, "many", "many1", "many2")
	for i := range v1alpha1.MaxPlanChannels {
		declare(t, namespace, fmt.Sprintf("kind: Channel\nmetadata: {name: c%03d}\nspec: {consortium: many}", i))
	}
	plan := planOf("many2", "many")
	eventually(t, "256 channels to be planned", func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(plan), plan); err != nil || len(plan.Spec.Channels) < v1alpha1.MaxPlanChannels {
			return fmt.Errorf("%d are: %w", len(plan.Spec.Channels), err)
		}
		return nil
	})
	declare(t, namespace, fmt.Sprintf("kind: Channel\nmetadata: {name: c%03d}\nspec: {consortium: many}", v1alpha1.MaxPlanChannels))
	last := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("c%03d", v1alpha1.MaxPlanChannels)}}
	waitCondition(t, last, func() []metav1.Condition { return last.Status.Conditions }, v1alpha1.ConditionAccepted, metav1.ConditionFalse, "has no room for this channel")
	block, largest := bytes.Repeat([]byte{7}, 4<<10), 0
	eventually(t, "256 first blocks to be distributed", func() error {
		_, one := a.receiveGenesis(t, "many", true, block)
		held, other := b.receiveGenesis(t, "many", false, nil)
		largest = max(largest, one, other)
		if held < v1alpha1.MaxPlanChannels {
			return fmt.Errorf("%d are held", held)
		}
		return nil
	})
	if largest > v1alpha1.MaxPlanBytes {
		t.Errorf("a plan and its status had %d bytes", largest)
	}
	t.Logf("the largest plan, with its status, had %d bytes", largest)
	eventually(t, "the blocks to leave the plans", func() error {
		a.receiveGenesis(t, "many", true, block)
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(plan), plan))
		for _, c := range plan.Spec.Channels {
			if len(c.Genesis) > 0 || c.GenesisHash == "" {
				return fmt.Errorf("channel %s: %d bytes, hash %q", c.Name, len(c.Genesis), c.GenesisHash)
			}
		}
		return nil
	})
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
		p.Spec = v1alpha1.MemberPlanSpec{Member: "taken2", Consortium: "probe", ConsortiumNamespace: "default", Namespace: "hanse-probe", Members: []v1alpha1.PlanMember{}}
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
