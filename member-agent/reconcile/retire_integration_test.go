//go:build integration

package reconcile

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlreconcile "sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/member-agent/host"
	"github.com/hanse-io/hanse/member-agent/statements"
	"github.com/hanse-io/hanse/statement"
)

// quietReporter is a session with a host that is told nothing and complains of nothing.
type quietReporter struct{}

func (quietReporter) SetFacts(host.Facts)      {}
func (quietReporter) CredentialShared() string { return "" }

// TestStatementsOfRetiredConsortia: what comes by gossip while a consortium retires, or was left by an agent that ended just
// then, is removed whenever the plan is reconciled; and nothing of a consortium goes that is not retired.
func TestStatementsOfRetiredConsortia(t *testing.T) {
	env, config, c, err := testcluster.StartWithCRDs("../../charts/member-agent/crds", v1alpha1.AddToScheme, corev1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	const namespace = "default"
	// plans of three consortia: one that goes on, one that is being removed, and one that has been.
	for name, status := range map[string]*v1alpha1.MemberPlanStatus{
		"trade":   nil,
		"leaving": {Phase: "Retiring"},
		"left": {Phase: "Retired", Conditions: []metav1.Condition{{
			Type: v1alpha1.PlanRetired, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "removed", LastTransitionTime: metav1.Now(),
		}}},
	} {
		plan := &v1alpha1.MemberPlan{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1alpha1.MemberPlanSpec{
			Member: "org1", Consortium: name, ConsortiumNamespace: "default", Namespace: v1alpha1.ConsortiumNamespace(name),
			Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric}, Retire: status != nil,
			Members: []v1alpha1.PlanMember{{Name: "org1", Role: v1alpha1.RoleLeader}, {Name: "org2", Role: v1alpha1.RoleParticipant}},
		}}
		if err := c.Create(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		if status == nil {
			continue
		}
		plan.Status = *status
		if err := c.Status().Update(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
	}
	plans, err := cache.New(config, cache.Options{Scheme: c.Scheme(), DefaultNamespaces: map[string]cache.Config{namespace: {}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { _ = plans.Start(ctx) }()
	if _, err := plans.GetInformer(ctx, &v1alpha1.MemberPlan{}); err != nil || !plans.WaitForCacheSync(ctx) {
		t.Fatalf("the cache does not sync: %v", err)
	}
	r := New(ctx, Options{
		Member: "org1", Namespace: namespace, Own: c, Cache: plans, Now: time.Now, Metrics: prometheus.NewRegistry(),
		Statements: &statements.Store{Client: c, Namespace: namespace, Member: "org1", Owner: "test", Now: time.Now},
		Reporter:   quietReporter{},
	})
	signed := func(consortium string) v1alpha1.StatementSpec {
		s, err := statement.NewHoldings(consortium, "org2", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Sequence, s.Signature, s.Certificates = 1, []byte("s"), "-"
		return s
	}
	kept := func(consortium string) int {
		var list v1alpha1.StatementList
		if err := c.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelConsortium: consortium}); err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}

	for consortium, want := range map[string]int{"trade": 1, "leaving": 0, "left": 0, "unheard": 0} {
		if err := r.keepReceived(ctx, signed(consortium)); err != nil {
			t.Fatal(err)
		}
		if got := kept(consortium); got != want {
			t.Errorf("by gossip, of %s: %d kept, want %d", consortium, got, want)
		}
	}
	// It was on its way already, and is kept after everything else has been removed.
	if err := r.Statements.Keep(ctx, signed("left")); err != nil {
		t.Fatal(err)
	}
	for _, round := range []string{"at first", "and once more"} {
		for consortium, want := range map[string]int{"left": 0, "trade": 1} {
			if consortium == "left" {
				if _, err := r.Reconcile(ctx, ctrlreconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: consortium}}); err != nil {
					t.Fatal(err)
				}
			}
			if got := kept(consortium); got != want {
				t.Errorf("%s: of %s %d are left, want %d", round, consortium, got, want)
			}
		}
	}
}
