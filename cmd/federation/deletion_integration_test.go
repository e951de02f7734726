//go:build integration

package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// declaration is one of everything, of two Members whose agents may be online.
type declaration struct {
	namespace, name string
	objects         map[string]client.Object
}

// newDeclaration declares everything, and waits for plans. The second Member's agent is there only if it is not away.
func newDeclaration(t *testing.T, name string, away bool) declaration {
	t.Helper()
	d := declaration{namespace: namespaced(t), name: name}
	a, b := name+"-a", name+"-b"
	retireWhenAsked(t, joined(t, a), name)
	if away {
		must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: b}}))
	} else {
		retireWhenAsked(t, joined(t, b), name)
	}
	d.objects = map[string]client.Object{
		"line": object(t, fmt.Sprintf("kind: Line\nmetadata: {name: %s}\nspec: {ends: [{member: %s, address: 192.0.2.81}, {member: %s, address: 192.0.2.82}]}", name, a, b), ""),
		"a":    getMember(t, a), "b": getMember(t, b),
		"namespace": &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace}},
	}
	for kind, text := range d.sample() {
		d.objects[kind] = object(t, text, d.namespace)
	}
	d.apply(t, "consortium", "channel", "contract", "line")
	d.waitPlans(t)
	return d
}

// sample is what samples/trade.yaml declares: a Consortium, a Channel of it, a Contract on that.
func (d declaration) sample() map[string]string {
	return map[string]string{
		"consortium": fmt.Sprintf("kind: Consortium\nmetadata: {name: %s}\nspec: {members: [{name: %[1]s-a, role: Leader}, {name: %[1]s-b}]}", d.name),
		"channel":    "kind: Channel\nmetadata: {name: settlement}\nspec: {consortium: " + d.name + "}",
		"contract":   "kind: Contract\nmetadata: {name: notary}\nspec: {channel: settlement, template: notary}",
	}
}

// apply creates or changes objects, as kubectl apply does.
func (d declaration) apply(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		o, _ := d.objects[name].DeepCopyObject().(client.Object)
		must(t, applied(admin, o))
	}
}

// delete deletes objects in this order without waiting for any, as kubectl delete --wait=false does.
func (d declaration) delete(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		o, _ := d.objects[name].DeepCopyObject().(client.Object)
		must(t, client.IgnoreNotFound(admin.Delete(ctx, o)))
	}
}

// waitPlans waits until both Members have plans with the contract, which are not to be retired.
func (d declaration) waitPlans(t *testing.T) {
	t.Helper()
	for _, member := range []string{d.name + "-a", d.name + "-b"} {
		eventually(t, "the plan of "+member, func() error {
			p := planOf(member, d.name)
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return err
			}
			if p.Spec.Retire || len(p.Spec.Contracts) != 1 {
				return fmt.Errorf("retire %v, contracts %v", p.Spec.Retire, p.Spec.Contracts)
			}
			return nil
		})
	}
}

// waitAllGone waits until nothing is left of what was deleted, nor of what Hanse made for it.
func (d declaration) waitAllGone(t *testing.T, deleted ...string) {
	t.Helper()
	for _, name := range deleted {
		o, _ := d.objects[name].DeepCopyObject().(client.Object)
		waitGone(t, o)
	}
	for _, member := range []string{"a", "b"} {
		waitGone(t, planOf(d.name+"-"+member, d.name))
		if slices.Contains(deleted, member) {
			waitGone(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.MemberNamespace(d.name + "-" + member)}})
		}
	}
	waitGone(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.StatementsNamespace(d.name)}})
}

// retireWhenAsked follows the agent's plan, and reports its nodes as removed once it is asked to remove them.
func retireWhenAsked(t *testing.T, a *agent, consortium string) {
	t.Helper()
	a.carryOut(t, consortium, func(p *v1alpha1.MemberPlan) {
		p.Status.ObservedGeneration = p.Generation
		if p.Spec.Retire {
			meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{Type: v1alpha1.PlanRetired, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady})
		}
	})
}

// TestDeletionInAnyOrder deletes everything in one order and the reverse of it, which has every two objects in either order.
func TestDeletionInAnyOrder(t *testing.T) {
	forward := []string{"consortium", "channel", "contract", "namespace", "line", "a", "b"}
	backward := slices.Clone(forward)
	slices.Reverse(backward)
	for _, c := range []struct {
		why, name string
		away      bool
		order     []string
	}{
		{"as the sample has it, then what is below", "forward", false, forward},
		{"Members first, whose plans and namespaces go with them", "backward", false, backward},
		{"a Member that never came is gone in the end", "forwardaway", true, forward},
		{"a Member that never came is gone at first", "backwardaway", true, backward},
		{"the sample alone: Members and lines stay", "sample", false, []string{"contract", "channel", "consortium"}},
		{"the sample with its namespace", "space", false, []string{"namespace"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			d := newDeclaration(t, c.name, c.away)
			d.delete(t, c.order...)
			d.waitAllGone(t, c.order...)
		})
	}
}

// TestDeletionWaitsAsDocumented: what hangs is a Consortium that waits for a Member that is there and does not answer. It says
// so, and the annotation ends it, also when its namespace is being deleted.
func TestDeletionWaitsAsDocumented(t *testing.T) {
	for _, c := range []struct {
		why, name string
		order     []string
	}{
		{"the Consortium is deleted first", "hangs", []string{"consortium", "channel", "contract", "line"}},
		{"its namespace is being deleted", "hangsin", []string{"namespace", "line"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			d := newDeclaration(t, c.name, true)
			d.delete(t, c.order...)
			consortium := waitConsortium(t, d.namespace, d.name, v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for "+d.name+"-b to remove the nodes; if a cluster is lost for good, annotate")
			abandon := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"`+v1alpha1.AnnotationAbandon+`":"true"}}}`))
			must(t, admin.Patch(ctx, consortium, abandon))
			d.waitAllGone(t, append(c.order, "consortium")...)
		})
	}
}

// TestApplyWhileDeleting applies the sample again while it is being deleted, as a GitOps tool does that sees it disappear. The
// Consortium that is being deleted goes all the same; the next apply makes it anew.
func TestApplyWhileDeleting(t *testing.T) {
	d := newDeclaration(t, "again", true)
	d.delete(t, "consortium", "channel", "contract")
	waitConsortium(t, d.namespace, d.name, v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for again-b")
	d.apply(t, "contract", "channel", "consortium")
	before := waitConsortium(t, d.namespace, d.name, v1alpha1.ConditionReady, metav1.ConditionFalse, "waiting for again-b").UID

	must(t, admin.Patch(ctx, d.objects["consortium"].DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"`+v1alpha1.AnnotationAbandon+`":"true"}}}`))))
	eventually(t, "the old Consortium to be gone", func() error {
		err := admin.Get(ctx, types.NamespacedName{Namespace: d.namespace, Name: d.name}, &v1alpha1.Consortium{})
		if !apierrors.IsNotFound(err) {
			return errors.Join(errors.New("it is there"), err)
		}
		return nil
	})
	channel := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "settlement"}}
	waitCondition(t, channel, func() []metav1.Condition { return channel.Status.Conditions }, v1alpha1.ConditionReady, metav1.ConditionFalse, "there is no Consortium again")
	if meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionStalled) != nil {
		t.Error("a Channel whose Consortium may come at once is not stalled")
	}

	d.apply(t, "consortium")
	if after := waitConsortium(t, d.namespace, d.name, v1alpha1.ConsortiumPlansWritten, metav1.ConditionTrue, "").UID; after == before {
		t.Error("it is the old one")
	}
	d.waitPlans(t)
}
