//go:build integration

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/consortium"
	"github.com/hanse-io/hanse/statement"
)

// stated is the object of a Member's statement. Its signature is not genuine: the host checks none, its readers do.
func stated(member, consortium string, sequence int64) *v1alpha1.Statement {
	s := &v1alpha1.Statement{Spec: v1alpha1.StatementSpec{
		Consortium: consortium, Kind: v1alpha1.StatementRecord, Member: member, Sequence: sequence,
		Payload: []byte("{}"), Certificates: "chain", Signature: []byte("signature"),
	}}
	s.Namespace, s.Name = v1alpha1.StatementsNamespace(consortium), v1alpha1.StatementName(member, statement.Digest(&s.Spec))
	return s
}

// state creates a Member's statement with its agent's own credential, as soon as it has access.
func (a *agent) state(t *testing.T, consortium string, sequence int64) *v1alpha1.Statement {
	t.Helper()
	waitAllowed(t, a.client, authorizationv1.ResourceAttributes{
		Namespace: v1alpha1.StatementsNamespace(consortium), Group: v1alpha1.GroupName, Resource: "statements", Verb: "create",
	})
	s := stated(a.member, consortium, sequence)
	eventually(t, a.member+"'s statement", func() error { return a.client.Create(ctx, s.DeepCopy()) }) // the quota's usage is counted first
	return s
}

// TestStatements: in the namespace for a Consortium's statements every Member creates and deletes its own, reads those of the
// others, and can do nothing else.
func TestStatements(t *testing.T) {
	namespace := namespaced(t)
	a, b, outsider := joined(t, "said1"), joined(t, "said2"), joined(t, "said3")
	trade(t, namespace, "said", "said1", "said2")
	trade(t, namespace, "unsaid", "said2", "said3")
	own, others := a.state(t, "said", 1), b.state(t, "said", 1)
	theirs := outsider.state(t, "unsaid", 1)
	read := &v1alpha1.Statement{}
	must(t, b.client.Get(ctx, client.ObjectKeyFromObject(own), read))
	if !statement.Equal(&read.Spec, &own.Spec) {
		t.Errorf("another Member reads %+v", read.Spec)
	}
	var list v1alpha1.StatementList
	if must(t, b.client.List(ctx, &list, client.InNamespace(own.Namespace))); len(list.Items) != 2 {
		t.Errorf("%d statements", len(list.Items))
	}

	misnamed := stated("said1", "said", 2)
	misnamed.Name = others.Name
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"sequence":9}}`))
	for why, c := range map[string]struct {
		err  error
		says string
	}{
		"create another's":                  {a.client.Create(ctx, stated("said2", "said", 2)), "creates its own statements only"},
		"create its own under another name": {a.client.Create(ctx, misnamed), "a Statement is named MEMBER.DIGEST"},
		"create one in another consortium":  {a.client.Create(ctx, stated("said1", "unsaid", 2)), "cannot create resource"},
		"change its own":                    {a.client.Patch(ctx, own.DeepCopy(), patch), "cannot patch resource"},
		"change another's":                  {a.client.Update(ctx, others.DeepCopy()), "cannot update resource"},
		"apply its own":                     {applied(a.client, own), "cannot patch resource"},
		"delete another's":                  {a.client.Delete(ctx, others.DeepCopy()), "deletes its own statements only"},
		"delete all":                        {a.client.DeleteAllOf(ctx, &v1alpha1.Statement{}, client.InNamespace(own.Namespace)), "cannot deletecollection resource"},
		"read another consortium's":         {a.client.Get(ctx, client.ObjectKeyFromObject(theirs), &v1alpha1.Statement{}), "cannot get resource"},
		"list another consortium's":         {a.client.List(ctx, &v1alpha1.StatementList{}, client.InNamespace(theirs.Namespace)), "cannot list resource"},
		"list all":                          {a.client.List(ctx, &v1alpha1.StatementList{}), "cannot list resource"},
		"see who has access":                {a.client.List(ctx, &rbacv1.RoleBindingList{}, client.InNamespace(own.Namespace)), "cannot list resource"},
		"store something else there":        {a.client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: own.Namespace, Name: "x"}}), "cannot create resource"},
	} {
		if (!apierrors.IsForbidden(c.err) && !apierrors.IsInvalid(c.err)) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("an agent could %s: %v, want %q", why, c.err, c.says)
		}
	}
	must(t, a.client.Delete(ctx, own))
}

// TestStatementsAreSmall: what one credential can store with a statement is limited to what statements have.
func TestStatementsAreSmall(t *testing.T) {
	namespace := namespaced(t)
	a := joined(t, "brief")
	trade(t, namespace, "brief", "brief")
	trade(t, namespace, "brief2", "brief")
	a.state(t, "brief", 1)
	a.state(t, "brief2", 1)
	for why, c := range map[string]struct {
		change func(*v1alpha1.Statement)
		says   string
	}{
		"another consortium": {func(s *v1alpha1.Statement) { s.Spec.Consortium = "brief2" }, "hanse-shared-CONSORTIUM"},
		"an annotation":      {func(s *v1alpha1.Statement) { s.Annotations = map[string]string{"a": large} }, "no annotations"},
		"a finalizer":        {func(s *v1alpha1.Statement) { s.Finalizers = []string{"example.com/stay"} }, "finalizers"},
		"an owner": {func(s *v1alpha1.Statement) {
			s.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n", UID: "u"}}
		}, "owners"},
		"a generated name": {func(s *v1alpha1.Statement) { s.GenerateName = "brief-" }, "generated name"},
		"five labels":      {func(s *v1alpha1.Statement) { s.Labels = map[string]string{"a": "", "b": "", "c": "", "d": "", "e": ""} }, "four labels"},
		"a label's long name": {func(s *v1alpha1.Statement) {
			s.Labels = map[string]string{strings.Repeat("x", 200) + ".example/a": "1"}
		}, "64 characters"},
		"too large a payload": {func(s *v1alpha1.Statement) { s.Spec.Payload = []byte(large + large) }, "349528"},
		"a large signature":   {func(s *v1alpha1.Statement) { s.Spec.Signature = []byte(large) }, "1024"},
		"a long subject":      {func(s *v1alpha1.Statement) { s.Spec.Subject = large }, "63"},
		"a kind of its own":   {func(s *v1alpha1.Statement) { s.Spec.Kind = "Opinion" }, "supported values"},
		"a short digest":      {func(s *v1alpha1.Statement) { s.Name = "brief.0123" }, "a Statement is named MEMBER.DIGEST"},
		"a name in capitals":  {func(s *v1alpha1.Statement) { s.Name = strings.ToUpper(s.Name) }, "lower case"},
	} {
		s := stated("brief", "brief", 2)
		c.change(s)
		if err := a.client.Create(ctx, s); (!apierrors.IsForbidden(err) && !apierrors.IsInvalid(err)) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("a statement with %s: %.300v, want %q", why, err, c.says)
		}
	}
	forged := stated("brief", "brief", 3)
	forged.ManagedFields = []metav1.ManagedFieldsEntry{forgedEntry("m", `{"f:spec":{"f:`+large+`":{}}}`)}
	if err := a.client.Create(ctx, forged); err == nil && len(encoded(t, forged)) > len(large) {
		t.Error("a statement accepts managedFields of any size")
	}
	labelled := stated("brief", "brief", 4)
	labelled.Labels = map[string]string{v1alpha1.LabelConsortium: "brief", v1alpha1.LabelMember: "brief"}
	must(t, a.client.Create(ctx, labelled))

	// Nobody changes a statement, whatever rights they have.
	changed := labelled.DeepCopy()
	changed.Spec.Sequence = 5
	if err := admin.Update(ctx, changed); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "what was signed cannot be changed") {
		t.Errorf("an administrator changes a statement: %v", err)
	}

	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: labelled.Namespace, Name: "statements"}}
	must(t, admin.Patch(ctx, quota, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"hard":{"count/statements.federation.hanse.io":"1"}}}`))))
	eventually(t, "the quota to be counted", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(quota), quota))
		if most := quota.Status.Hard["count/statements.federation.hanse.io"]; most.Cmp(resource.MustParse("1")) != 0 {
			return fmt.Errorf("at most %s", &most)
		}
		return nil
	})
	if err := a.client.Create(ctx, stated("brief", "brief", 6)); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("more statements than the quota allows: %v", err)
	}
}

// TestStatementsOfRegisteredKeyOnly: a new registration takes the access to statements from the old key, and nobody has any
// before registration.
func TestStatementsOfRegisteredKeyOnly(t *testing.T) {
	namespace := namespaced(t)
	old, other := joined(t, "key1"), joined(t, "key2")
	must(t, admin.Create(ctx, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "key3"}}))
	trade(t, namespace, "keys", "key1", "key2", "key3")
	first := old.state(t, "keys", 1)
	other.state(t, "keys", 1)
	fresh := newAgent(t, "key1")
	fresh.register(t, invite(t, "key1", "again", time.Hour))
	fresh.state(t, "keys", 2)
	eventually(t, "the old key to lose its access", func() error {
		if err := old.client.Create(ctx, stated("key1", "keys", 3), client.DryRunAll); !apierrors.IsForbidden(err) {
			return fmt.Errorf("it creates: %w", err)
		}
		if err := old.client.Get(ctx, client.ObjectKeyFromObject(first), &v1alpha1.Statement{}); !apierrors.IsForbidden(err) {
			return fmt.Errorf("it reads: %w", err)
		}
		return nil
	})
	must(t, fresh.client.Delete(ctx, first))
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: first.Namespace, Name: consortium.StatementsRole}}
	restored := func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(binding), binding); err != nil {
			return err
		}
		if len(binding.Subjects) != 2 || binding.Subjects[1].Name != v1alpha1.MemberKeyUser("key2", other.fingerprint(t)) {
			return fmt.Errorf("subjects %+v", binding.Subjects)
		}
		return nil
	}
	must(t, restored())
	// What somebody does to the binding by hand is undone.
	binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "mallory"})
	must(t, admin.Update(ctx, binding))
	eventually(t, "a subject added by hand to be removed", restored)
	must(t, admin.Delete(ctx, binding))
	eventually(t, "a deleted binding to be restored", restored)
	// A Member without registration has no access, and one that is deleted loses it.
	must(t, admin.Delete(ctx, getMember(t, "key2")))
	eventually(t, "a deleted Member to lose its access", func() error {
		must(t, admin.Get(ctx, client.ObjectKeyFromObject(binding), binding))
		if len(binding.Subjects) != 1 {
			return fmt.Errorf("subjects %+v", binding.Subjects)
		}
		return nil
	})
}

// TestStatementsGoWithTheConsortium: the namespace is deleted with the Consortium, and no other namespace ever is.
func TestStatementsGoWithTheConsortium(t *testing.T) {
	namespace := namespaced(t)
	a := joined(t, "bygone")
	trade(t, namespace, "bygone", "bygone")
	a.state(t, "bygone", 1)
	c := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bygone"}}
	must(t, admin.Delete(ctx, c))
	eventually(t, "the plan to retire", func() error {
		p := planOf("bygone", "bygone")
		if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil || !p.Spec.Retire {
			return fmt.Errorf("retire %v: %w", p.Spec.Retire, err)
		}
		return nil
	})
	must(t, admin.Get(ctx, client.ObjectKey{Name: "hanse-shared-bygone"}, &corev1.Namespace{}))
	a.report(t, "bygone", func(p *v1alpha1.MemberPlan) {
		meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{Type: v1alpha1.PlanRetired, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady})
	})
	waitGone(t, c)
	waitGone(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-shared-bygone"}})
	// The name can be used again.
	trade(t, namespace, "bygone", "bygone")
	a.state(t, "bygone", 2)

	controller := clientFor(t, asController(config))
	for _, name := range []string{namespace, "hanse-member-bygone", "hanse-system"} {
		err := controller.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, client.DryRunAll)
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "deletes the namespaces for the statements of consortia only") {
			t.Errorf("the controller may delete namespace %s: %v", name, err)
		}
	}
	if err := controller.List(ctx, &v1alpha1.StatementList{}, client.InNamespace("hanse-shared-bygone")); !apierrors.IsForbidden(err) {
		t.Errorf("the controller may read statements: %v", err)
	}
}

// TestForeignNamespace: a namespace of the name that is not this Consortium's is not touched, nobody is given access to it,
// and the condition says what to do; once that is done, everything goes on.
func TestForeignNamespace(t *testing.T) {
	for why, labels := range map[string]map[string]string{
		"somebody's own": nil,
		"of a consortium of the same name before": {
			v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelConsortium: "foreign", v1alpha1.LabelConsortiumUID: "0",
		},
	} {
		t.Run(why, func(t *testing.T) {
			namespace := namespaced(t)
			member := "foreign" + fmt.Sprint(len(labels))
			a := joined(t, member)
			foreign := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-shared-" + member, Labels: labels}}
			must(t, admin.Create(ctx, foreign))
			trade(t, namespace, member, member)
			waitConsortium(t, namespace, member, v1alpha1.ConsortiumPlansWritten, metav1.ConditionFalse, "kubectl delete namespace "+foreign.Name)
			waitConsortium(t, namespace, member, v1alpha1.ConditionReady, metav1.ConditionFalse, "which is not this consortium's")
			after := &corev1.Namespace{}
			must(t, admin.Get(ctx, client.ObjectKeyFromObject(foreign), after))
			if after.ResourceVersion != foreign.ResourceVersion {
				t.Errorf("the namespace was changed: %+v", after)
			}
			var bindings rbacv1.RoleBindingList
			if must(t, admin.List(ctx, &bindings, client.InNamespace(foreign.Name))); len(bindings.Items) > 0 {
				t.Errorf("access was given: %+v", bindings.Items)
			}
			must(t, admin.Delete(ctx, foreign, client.PropagationPolicy(metav1.DeletePropagationBackground)))
			waitConsortium(t, namespace, member, v1alpha1.ConsortiumPlansWritten, metav1.ConditionTrue, "")
			a.state(t, member, 1)

			// The namespace of a Consortium that is deleted beside it stays.
			c := &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: member}}
			must(t, admin.Get(ctx, client.ObjectKey{Name: foreign.Name}, after))
			after.Labels[v1alpha1.LabelConsortiumUID] = "0"
			must(t, admin.Update(ctx, after))
			must(t, admin.Delete(ctx, c))
			a.report(t, member, func(p *v1alpha1.MemberPlan) {
				meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{Type: v1alpha1.PlanRetired, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady})
			})
			waitGone(t, c)
			must(t, admin.Get(ctx, client.ObjectKey{Name: foreign.Name}, after))
			if !after.DeletionTimestamp.IsZero() {
				t.Error("a namespace that is not the Consortium's was deleted with it")
			}
		})
	}
}
