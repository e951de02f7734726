//go:build integration

package main

import (
	"fmt"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// definitionOf is the object for a Consortium's definition.
func definitionOf(consortium string) *v1alpha1.ConsortiumDefinition {
	return &v1alpha1.ConsortiumDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace(consortium), Name: consortium}}
}

// whole joins a stored plan with the definition that it refers to, as its agent does.
func whole(by client.Client, p *v1alpha1.MemberPlan) error {
	if p.Spec.Definition == nil {
		return nil
	}
	stored := definitionOf(p.Name)
	if err := by.Get(ctx, client.ObjectKeyFromObject(stored), stored); err != nil {
		return err
	}
	if stored.Spec.Digest != p.Spec.Definition.Digest {
		return fmt.Errorf("the plan refers to definition %s, and there is %s", p.Spec.Definition.Digest, stored.Spec.Digest)
	}
	definition, err := stored.Spec.Decode()
	if err == nil {
		p.Spec, err = definition.Join(&p.Spec)
	}
	return err
}

// wholePlan reads a plan and joins it with its definition.
func wholePlan(p *v1alpha1.MemberPlan) error {
	*p = v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name}}
	if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
		return err
	}
	return whole(admin, p)
}

// contracts declares contracts, or deletes them.
func contracts(t *testing.T, namespace string, from, to int, gone bool) {
	t.Helper()
	for i := from; i < to; i++ {
		name := fmt.Sprintf("contract-with-quite-a-long-name-%02d", i)
		if gone {
			must(t, admin.Delete(ctx, &v1alpha1.Contract{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}))
		} else {
			declare(t, namespace, "kind: Contract\nmetadata: {name: "+name+"}\nspec: {channel: shared, template: notary}")
		}
	}
}

// planned waits until both Members' plans have so many contracts, and says whether they refer to a definition.
func planned(t *testing.T, consortium string, agents []*agent, contracts int) (digest string) {
	t.Helper()
	for _, a := range agents {
		eventually(t, fmt.Sprintf("%d contracts in the plan of %s", contracts, a.member), func() error {
			p := planOf(a.member, consortium)
			if err := a.client.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return err
			}
			if digest = ""; p.Spec.Definition != nil {
				digest = p.Spec.Definition.Digest
			}
			if err := whole(a.client, p); err != nil {
				return err
			}
			if len(p.Spec.Contracts) != contracts || len(p.Spec.Members) != len(agents) || len(p.Spec.Channels) != 1 {
				return fmt.Errorf("%d contracts, %d members, %d channels", len(p.Spec.Contracts), len(p.Spec.Members), len(p.Spec.Channels))
			}
			return nil
		})
	}
	return digest
}

// TestDefinition lets a Consortium grow until its plans refer to a definition, which its Members read and nobody but the
// controller writes, and shrink again.
func TestDefinition(t *testing.T) {
	namespace := namespaced(t)
	a, b, outsider := joined(t, "defined1"), joined(t, "defined2"), joined(t, "defined3")
	both := []*agent{a, b}
	trade(t, namespace, "defined", "defined1", "defined2")
	trade(t, namespace, "others", "defined3")
	declare(t, namespace, "kind: Channel\nmetadata: {name: shared}\nspec: {consortium: defined}")
	contracts(t, namespace, 0, 2, false)
	if digest := planned(t, "defined", both, 2); digest != "" {
		t.Errorf("small plans refer to definition %s", digest)
	}
	definition := definitionOf("defined")
	if err := admin.Get(ctx, client.ObjectKeyFromObject(definition), definition); !apierrors.IsNotFound(err) {
		t.Errorf("there is a definition that nobody needs: %v", err)
	}

	contracts(t, namespace, 2, 50, false)
	first := planned(t, "defined", both, 50)
	if first == "" {
		t.Fatal("large plans refer to no definition")
	}
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(definition), definition))
	p := planOf("defined1", "defined")
	must(t, admin.Get(ctx, client.ObjectKeyFromObject(p), p))
	if has := len(encoded(t, p)); has > 4<<10 {
		t.Errorf("the stored plan has %d bytes", has)
	}
	onlyTheHostWrites(t, definition, a, outsider)

	contracts(t, namespace, 50, 51, false)
	if second := planned(t, "defined", both, 51); second == first {
		t.Error("another definition has the same digest")
	}

	// What somebody does to it by hand is undone.
	restored := func() error {
		have := definitionOf("defined")
		if err := admin.Get(ctx, client.ObjectKeyFromObject(have), have); err != nil {
			return err
		}
		_, err := have.Spec.Decode()
		return err
	}
	must(t, admin.Delete(ctx, definitionOf("defined")))
	eventually(t, "a deleted definition to be restored", restored)
	must(t, admin.Patch(ctx, definitionOf("defined"), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"content":"{}"}}`))))
	eventually(t, "a changed definition to be restored", restored)
	planned(t, "defined", both, 51)

	contracts(t, namespace, 2, 51, true)
	if digest := planned(t, "defined", both, 2); digest != "" {
		t.Errorf("small plans refer to definition %s", digest)
	}
	waitGone(t, definitionOf("defined"))
}

// onlyTheHostWrites tries what Members' agents may do with a definition, and what not.
func onlyTheHostWrites(t *testing.T, definition *v1alpha1.ConsortiumDefinition, a, outsider *agent) {
	t.Helper()
	other := definition.DeepCopy()
	other.Name, other.ResourceVersion, other.UID = "another", "", ""
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"content":"{}"}}`))
	for why, c := range map[string]struct {
		err  error
		says string
	}{
		"write it":                     {a.client.Update(ctx, definition.DeepCopy()), "cannot update resource"},
		"patch it":                     {a.client.Patch(ctx, definition.DeepCopy(), patch), "cannot patch resource"},
		"delete it":                    {a.client.Delete(ctx, definition.DeepCopy()), "cannot delete resource"},
		"create one beside it":         {a.client.Create(ctx, other.DeepCopy()), "cannot create resource"},
		"list them":                    {a.client.List(ctx, &v1alpha1.ConsortiumDefinitionList{}, client.InNamespace(definition.Namespace)), "cannot list resource"},
		"read another consortium's":    {outsider.client.Get(ctx, client.ObjectKeyFromObject(definition), definition.DeepCopy()), "cannot get resource"},
		"write another consortium's":   {outsider.client.Update(ctx, definition.DeepCopy()), "cannot update resource"},
		"read one that is not there":   {a.client.Get(ctx, client.ObjectKeyFromObject(definitionOf("others")), definitionOf("others")), "cannot get resource"},
		"read its own from the others": {outsider.client.Get(ctx, client.ObjectKey{Namespace: definition.Namespace, Name: "others"}, definitionOf("others")), "cannot get resource"},
	} {
		if !apierrors.IsForbidden(c.err) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("an agent could %s: %v", why, c.err)
		}
	}
	// Not even where the host's operators have bound it to more.
	must(t, admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: definition.Namespace, Name: "careless"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: v1alpha1.MemberKeyUser(a.member, a.fingerprint(t))}},
	}))
	for why, try := range map[string]func() error{
		"write it":             func() error { return a.client.Patch(ctx, definition.DeepCopy(), patch, client.DryRunAll) },
		"delete it":            func() error { return a.client.Delete(ctx, definition.DeepCopy(), client.DryRunAll) },
		"create one beside it": func() error { return a.client.Create(ctx, other.DeepCopy(), client.DryRunAll) },
	} {
		eventually(t, "a careless binding to be known", func() error {
			if err := try(); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "written by the host only") {
				return fmt.Errorf("an agent could %s: %w", why, err)
			}
			return nil
		})
	}
}
