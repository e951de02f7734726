package consortium

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

func tradeAmong(members ...string) plan.Input {
	in := plan.Input{
		Consortium: &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: "trade", UID: "1"}},
		Members:    map[string]*v1alpha1.Member{},
	}
	for _, name := range members {
		in.Consortium.Spec.Members = append(in.Consortium.Spec.Members, v1alpha1.ConsortiumMember{Name: name})
		in.Members[name] = &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	return in
}

func register(in plan.Input, member, key string) {
	in.Members[member].Status.Registration = &v1alpha1.MemberRegistration{KeyFingerprint: key}
}

// TestStatementsAccess checks who may use the namespace for a Consortium's statements.
func TestStatementsAccess(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(plan.Input)
		users  string
	}{
		{"nobody before registration", func(plan.Input) {}, ""},
		{"an empty registration is none", func(in plan.Input) { register(in, "org1", "") }, ""},
		{"one key each, sorted", func(in plan.Input) { register(in, "org2", "bbbbbbbbbbbb"); register(in, "org1", "aaaaaaaaaaaa") },
			"hanse:member:org1:aaaaaaaaaa hanse:member:org2:bbbbbbbbbb"},
		{"a new key replaces the old one", func(in plan.Input) { register(in, "org1", "aaaaaaaaaaaa"); register(in, "org1", "cccccccccccc") },
			"hanse:member:org1:cccccccccc"},
		{"a deleted Member has none", func(in plan.Input) { register(in, "org1", "aaaaaaaaaaaa"); delete(in.Members, "org1") }, ""},
		{"another Member of the host has none", func(in plan.Input) {
			in.Members["org3"] = &v1alpha1.Member{}
			register(in, "org3", "dddddddddddd")
		}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := tradeAmong("org2", "org1")
			row.change(in)
			access := statementsAccess(in)
			var users []string
			for _, s := range access.Binding.Subjects {
				if s.Kind != "User" {
					t.Errorf("a subject of kind %s", s.Kind)
				}
				users = append(users, s.Name)
			}
			if got := strings.Join(users, " "); got != row.users {
				t.Errorf("users %q", got)
			}
			if access.Binding.RoleRef.Name != "hanse-statements" || access.Namespace.Name != "hanse-shared-trade" ||
				access.Binding.Namespace != access.Namespace.Name || access.Quota.Namespace != access.Namespace.Name {
				t.Errorf("%+v", access)
			}
		})
	}
}

func TestBelongsTo(t *testing.T) {
	own := tradeAmong("org1").Consortium
	for _, row := range []struct {
		why    string
		change func(labels map[string]string)
		belong bool
	}{
		{"as it was made", func(map[string]string) {}, true},
		{"with labels of others", func(l map[string]string) { l["team"] = "a" }, true},
		{"of a consortium of the same name that was deleted", func(l map[string]string) { l[v1alpha1.LabelConsortiumUID] = "0" }, false},
		{"of one in another namespace", func(l map[string]string) { l[v1alpha1.LabelConsortiumNamespace] = "other" }, false},
		{"of somebody else", func(l map[string]string) { clear(l) }, false},
		{"not marked as Hanse's, so that the cache does not have it", func(l map[string]string) { delete(l, v1alpha1.LabelManagedBy) }, false},
	} {
		namespace := statementsAccess(tradeAmong("org1")).Namespace
		row.change(namespace.Labels)
		if belongsTo(namespace, own) != row.belong {
			t.Errorf("%s: %v", row.why, !row.belong)
		}
	}
}

// TestStatementCount: a quota must not be changed with every channel, nor be too small for what agents keep.
func TestStatementCount(t *testing.T) {
	for _, row := range []struct {
		members, channels int
		want              int64
	}{
		{2, 0, 204}, {2, 32, 204}, {2, 33, 396}, {64, 256, 1920},
	} {
		if got := statementCount(row.members, row.channels); got != row.want {
			t.Errorf("%d members, %d channels: %d", row.members, row.channels, got)
		}
	}
	in := tradeAmong("org1", "org2")
	if hard := fmt.Sprint(statementsAccess(in).Quota.Spec.Hard); !strings.Contains(hard, "count/statements.federation.hanse.io") {
		t.Errorf("the quota limits %s", hard)
	}
}

// TestAppliedAccess: what has not changed is not looked at again, and what has been changed by others is.
func TestAppliedAccess(t *testing.T) {
	r := &Reconciler{}
	applied := func(key client.ObjectKey, access statementAccess) bool {
		is, _ := r.access.is(key, access)
		return is
	}
	in := tradeAmong("org1")
	access := statementsAccess(in)
	key := r.forgetAccess(t.Context(), access.Binding)[0]
	if applied(key, access) {
		t.Error("nothing was applied yet")
	}
	_, mark := r.access.is(key, access)
	r.access.set(key, access, mark)
	if !applied(key, statementsAccess(in)) {
		t.Error("the same is applied again")
	}
	register(in, "org1", "aaaaaaaaaaaa")
	if applied(key, statementsAccess(in)) {
		t.Error("a registered key makes no difference")
	}
	for why, object := range map[string]*metav1.ObjectMeta{"a Member's own": {Labels: map[string]string{v1alpha1.LabelMember: "org1"}}, "no labels": {}} {
		namespace := access.Namespace.DeepCopy()
		namespace.ObjectMeta = *object
		if keys := r.forgetAccess(t.Context(), namespace); len(keys) > 0 {
			t.Errorf("a namespace with %s is that of %v", why, keys)
		}
	}
	if r.forgetAccess(t.Context(), access.Namespace); applied(key, access) {
		t.Error("a changed namespace is not looked at again")
	}
}

// TestAccessChangedMeanwhile: what is changed by hand while it is being applied is looked at again.
func TestAccessChangedMeanwhile(t *testing.T) {
	in := tradeAmong("org1")
	key, access := client.ObjectKeyFromObject(in.Consortium), statementsAccess(in)
	other := tradeAmong("org1", "org2")
	for _, row := range []struct {
		why     string
		during  func(a *appliedAccess)
		applied bool
	}{
		{"nothing happens meanwhile", func(*appliedAccess) {}, true},
		{"somebody deletes the binding meanwhile", func(a *appliedAccess) { a.forget(key) }, false},
		{"another consortium's is changed meanwhile: once too often does no harm", func(a *appliedAccess) { a.forget(client.ObjectKey{Name: "fish"}) }, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			var a appliedAccess
			_, mark := a.is(key, access)
			row.during(&a)
			a.set(key, access, mark)
			if applied, _ := a.is(key, access); applied != row.applied {
				t.Errorf("taken as applied: %t", applied)
			}
			if applied, _ := a.is(key, statementsAccess(other)); applied {
				t.Error("another member's access is taken as applied")
			}
		})
	}
}
