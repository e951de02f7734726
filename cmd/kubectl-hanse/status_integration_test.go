//go:build integration

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// host is a host's cluster with a consortium, as its controller would have left it; two of its three members are there.
type host struct {
	env     *envtest.Environment
	config  *rest.Config
	objects client.Client
}

func newHost(t *testing.T) *host {
	t.Helper()
	env, config, err := testcluster.Start(func() *envtest.Environment { return &envtest.Environment{} })
	if err != nil {
		t.Fatalf("start an API server: %v", err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	if err := testcluster.InstallCRDs(config, "../../charts/federation/crds"); err != nil {
		t.Fatal(err)
	}
	h := &host{env, config, typed(t, config)}
	create(t, h.objects, &v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "trade"}, Spec: v1alpha1.ConsortiumSpec{
		Members: []v1alpha1.ConsortiumMember{{Name: "org1", Role: v1alpha1.RoleLeader}, {Name: "org2"}, {Name: "org3"}},
	}})
	for _, member := range []string{"org1", "org2"} {
		h.member(t, member)
	}
	create(t, h.objects,
		&v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "deals"}, Spec: v1alpha1.ChannelSpec{Consortium: "trade"}},
		&v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: "org1-org2"}, Spec: v1alpha1.LineSpec{Ends: []v1alpha1.LineEnd{
			{Member: "org1", Address: "203.0.113.1"}, {Member: "org2", Address: "203.0.113.2"},
		}}})
	return h
}

func (h *host) member(t *testing.T, name string) {
	t.Helper()
	namespace := v1alpha1.MemberNamespace(name)
	member := &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: name}}
	create(t, h.objects, member, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "trade"}, Spec: v1alpha1.MemberPlanSpec{
			Member: name, Consortium: "trade", ConsortiumNamespace: "default", Namespace: "hanse-trade",
			Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric}, Members: []v1alpha1.PlanMember{{Name: "org1", Role: v1alpha1.RoleLeader}},
		}})
	h.patch(t, member, `{"status":{"conditions":[`+conditionJSON("Online", "True", "LeaseCurrent", "")+`]}}`)
}

// patch changes a status without reading anything, so that every GET and LIST there is was made by the plugin.
func (h *host) patch(t *testing.T, obj client.Object, patch string) {
	t.Helper()
	if err := h.objects.Status().Patch(context.Background(), obj, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatalf("patch %T %s: %v", obj, obj.GetName(), err)
	}
}

func conditionJSON(kind, status, reason, message string) string {
	return fmt.Sprintf(`{"type":%q,"status":%q,"reason":%q,"message":%q,"lastTransitionTime":"2026-01-01T00:00:00Z"}`, kind, status, reason, message)
}

// says writes what the condition Ready of an object says.
func (h *host) says(t *testing.T, obj client.Object, status, reason, message string) {
	t.Helper()
	h.patch(t, obj, `{"status":{"conditions":[`+conditionJSON("Ready", status, reason, message)+`]}}`)
}

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// changes writes to an object of each kind that the tree is drawn of. number makes each change another one.
func (h *host) changes(t *testing.T, number int) map[string]func() {
	t.Helper()
	text := func(what string) string { return fmt.Sprintf("%s-%d", what, number) }
	waits := func(what string, obj client.Object) (string, func()) {
		return "… " + what, func() { h.says(t, obj, "False", v1alpha1.ReasonWaiting, text(what)) }
	}
	all := map[string]func(){}
	for what, obj := range map[string]client.Object{
		"consortium": &v1alpha1.Consortium{ObjectMeta: named("default", "trade")},
		"channel":    &v1alpha1.Channel{ObjectMeta: named("default", "deals")},
		"line":       &v1alpha1.Line{ObjectMeta: named("", "org1-org2")},
		"plan":       &v1alpha1.MemberPlan{ObjectMeta: named(v1alpha1.MemberNamespace("org1"), "trade")},
	} {
		_, change := waits(what, obj)
		all[text(what)] = change
	}
	fault := text("node")
	all["✗ peer0-org2  "+fault] = func() {
		h.patch(t, &v1alpha1.MemberPlan{ObjectMeta: named(v1alpha1.MemberNamespace("org2"), "trade")},
			fmt.Sprintf(`{"status":{"nodes":[{"name":"peer0-org2","role":"Peer","ready":false,"reason":%q,"message":%q}]}}`, v1alpha1.ReasonImagePull, fault))
	}
	return all
}

// TestStatusWatches has the tree follow a real API server, and counts there what that costs.
func TestStatusWatches(t *testing.T) {
	h := newHost(t)
	admin := newPerson(t, h.env, "admin", "system:masters")
	s := admin.watches(t, "status", "trade", "--watch")
	s.shows(t, "org1-org2")

	before, streams := h.reads(t), h.watches(t)
	if before == 0 || streams == 0 {
		t.Fatalf("the API server counts %v GETs and LISTs and %v watches", before, streams)
	}
	drawn := s.redraws()
	changes := 0
	for number := range 5 {
		for want, change := range h.changes(t, number) {
			changes++
			change()
			s.shows(t, want)
		}
	}
	if got := s.redraws() - drawn; got < changes {
		t.Errorf("%d changes, of which each was shown, made %d redraws", changes, got)
	}
	joins(t, h, s)
	if after := h.reads(t); after != before {
		t.Errorf("%d changes cost %v GETs and LISTs; what changes comes by the watches", changes, after-before)
	}
	if got := h.watches(t); got != streams {
		t.Errorf("%v watches, %v before the changes", got, streams)
	}

	if err := h.objects.Delete(context.Background(), &v1alpha1.Consortium{ObjectMeta: named("default", "trade")}); err != nil {
		t.Fatal(err)
	}
	if err := s.end(t); err == nil || !strings.Contains(err.Error(), "no consortium trade in namespace default") {
		t.Errorf("the consortium is gone: %v", err)
	}
}

// joins has what is declared come to be: a third organization takes up its invitation, a contract is declared.
func joins(t *testing.T, h *host, s *session) {
	t.Helper()
	s.shows(t, "? org3  no such member")
	h.member(t, "org3")
	h.says(t, &v1alpha1.MemberPlan{ObjectMeta: named(v1alpha1.MemberNamespace("org3"), "trade")}, "False", v1alpha1.ReasonWaiting, "the third works")
	s.shows(t, "… org3  the third works")
	create(t, h.objects, &v1alpha1.Contract{ObjectMeta: named("default", "notary"), Spec: v1alpha1.ContractSpec{Channel: "deals", Image: "registry.example/notary:1", Version: "1"}})
	s.shows(t, "? notary  not taken up yet")
}

// TestStatusSaysWhatIsLost cuts the connection, which comes back, and takes rights away.
func TestStatusSaysWhatIsLost(t *testing.T) {
	h := newHost(t)
	line := newCable(t, h.config)
	s := newPerson(t, h.env, "admin", "system:masters").through(t, line).watches(t, "status", "trade", "--watch")
	s.shows(t, "org1-org2")
	line.cut()
	s.shows(t, "what is shown is the last that is known, and it is tried again")
	line.repair(t)
	h.says(t, &v1alpha1.Line{ObjectMeta: named("", "org1-org2")}, "True", v1alpha1.ReasonLineUp, "back again")
	s.shows(t, "✓ org1-org2  back again")
	s.showsNoMore(t, "what is shown is the last that is known")
	s.interrupt()
	if err := s.end(t); err != nil {
		t.Errorf("whoever watches ends it at will: %v", err)
	}
	rights(t, h)
}

// rights has somebody look who may do part of what it takes.
func rights(t *testing.T, h *host) {
	t.Helper()
	clerk := newPerson(t, h.env, "clerk")
	role := &rbacv1.ClusterRole{ObjectMeta: named("", "clerk")}
	create(t, h.objects, role, &rbacv1.ClusterRoleBinding{ObjectMeta: named("", "clerk"),
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "clerk"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "clerk"}}})
	kinds := []string{"channels", "contracts", "members", "memberplans", "consortia", "lines"}
	for _, test := range []struct {
		why   string
		rules []rbacv1.PolicyRule
		want  string
	}{
		{"all but the lines", []rbacv1.PolicyRule{may(kinds[:5], "get", "list", "watch")}, "read the lines: "},
		{"all, to be read and not watched", []rbacv1.PolicyRule{may(kinds, "get", "list")}, "cannot watch resource"},
	} {
		role.Rules = test.rules
		if err := h.objects.Update(context.Background(), role); err != nil {
			t.Fatal(err)
		}
		eventually(t, test.why, func() error {
			_, _, err := clerk.says("status", "trade", "--wait", "--timeout", "2s")
			if err != nil && strings.Contains(err.Error(), test.want) && strings.Contains(err.Error(), "ask whoever runs this cluster for that right") {
				return nil
			}
			return fmt.Errorf("want %q, got %w", test.want, err)
		})
	}
	role.Rules = []rbacv1.PolicyRule{may(kinds, "get", "list", "watch")}
	if err := h.objects.Update(context.Background(), role); err != nil {
		t.Fatal(err)
	}
	eventually(t, "with every right", func() error {
		_, _, err := clerk.says("status", "trade", "--wait", "--timeout", "2s")
		if err != nil && strings.Contains(err.Error(), "consortium trade is not ready after 2s; the tree above says") {
			return nil
		}
		return fmt.Errorf("got %w", err)
	})
	h.ready(t)
	if out, _, err := clerk.says("status", "trade", "--wait"); err != nil || !strings.Contains(out, "✓ trade  it is ready") {
		t.Errorf("a consortium that is ready: %v\n%s", err, out)
	}
}

// ready says of the consortium and its channel that they are ready as they are declared.
func (h *host) ready(t *testing.T) {
	t.Helper()
	for obj, text := range map[client.Object]string{
		&v1alpha1.Consortium{ObjectMeta: named("default", "trade")}: "it is ready", &v1alpha1.Channel{ObjectMeta: named("default", "deals")}: "joined",
	} {
		whole := strings.Replace(conditionJSON("Ready", "True", v1alpha1.ReasonReady, text), "{", `{"observedGeneration":1,`, 1)
		h.patch(t, obj, `{"status":{"conditions":[`+whole+`]}}`)
	}
}

func may(resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{v1alpha1.GroupName}, Resources: resources, Verbs: verbs}
}
