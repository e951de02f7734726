//go:build integration

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
	"github.com/hanse-io/hanse/member-agent/genesis"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/statement"
)

func samplePlan(name, member string) *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace("org1"), Name: name},
		Spec: v1alpha1.MemberPlanSpec{
			Member: member, Consortium: name, ConsortiumNamespace: "default", Namespace: v1alpha1.ConsortiumNamespace(name),
			Ledger: v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric},
			Nodes: []v1alpha1.PlanNode{
				{Name: "orderer0-org1", Role: v1alpha1.RoleOrderer, Storage: v1alpha1.Storage{ClassName: "fast"}},
				{Name: "peer0-org1", Role: v1alpha1.RolePeer, Storage: v1alpha1.Storage{ClassName: "fast"}},
			},
			Members: []v1alpha1.PlanMember{
				{Name: "org1", Role: v1alpha1.RoleLeader, Nodes: []v1alpha1.PlanMemberNode{
					{Name: "orderer0-org1", Role: v1alpha1.RoleOrderer, Port: 7050}, {Name: "peer0-org1", Role: v1alpha1.RolePeer, Port: 7051},
				}},
				{Name: "org2", Role: v1alpha1.RoleParticipant, Nodes: []v1alpha1.PlanMemberNode{{Name: "peer0-org2", Role: v1alpha1.RolePeer, Port: 7051}}},
			},
		},
	}
}

// prepareHost gives the member's credential its rights, and makes its Member.
func prepareHost(t *testing.T, host *cluster) {
	t.Helper()
	host.namespace(t, v1alpha1.MemberNamespace("org1"))
	host.apply(t, &v1alpha1.Member{ObjectMeta: metav1.ObjectMeta{Name: "org1"}})
	user := rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: v1alpha1.MemberUser("org1")}
	host.apply(t, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace("org1"), Name: "member"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"memberplans"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"memberplans/status"}, Verbs: []string{"get", "patch", "update"}},
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "patch", "update"}},
		},
	})
	host.apply(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.MemberNamespace("org1"), Name: "member"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "member"}, Subjects: []rbacv1.Subject{user},
	})
	host.namespace(t, v1alpha1.StatementsNamespace("trade"))
	host.apply(t, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace("trade"), Name: "member"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"statements"}, Verbs: []string{"get", "list", "create", "delete"}},
		},
	})
	host.apply(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.StatementsNamespace("trade"), Name: "member"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "member"}, Subjects: []rbacv1.Subject{user},
	})
	host.apply(t, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "member-org1"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"members", "members/status"}, ResourceNames: []string{"org1"}, Verbs: []string{"get", "patch", "update"},
		}},
	})
	host.apply(t, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "member-org1"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "member-org1"}, Subjects: []rbacv1.Subject{user},
	})
}

// nodesOf says whether the plan's two nodes have their StatefulSets.
func nodesOf(own *cluster, namespace string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, name := range []string{"orderer0-org1", "peer0-org1"} {
			if err := own.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &appsv1.StatefulSet{}); err != nil {
				return err
			}
		}
		return nil
	}
}

// The whole way of one agent: from a cluster that lacks everything to nodes, through the loss of the host and its own
// restart. It runs under the rights that the chart gives it and no others.
func TestAgent(t *testing.T) {
	ctx := context.Background()
	host := startCluster(t, "../../charts/federation/crds")
	own := startCluster(t, "../../charts/member-agent/crds")
	own.namespace(t, agentNamespace)
	own.chart(t)
	prepareHost(t, host)
	proxy := registerMember(t, own, host, "org1")
	registry := prometheus.NewRegistry()
	stop := startAgent(t, own, func(o *options) { o.registry = registry })
	plan := samplePlan("trade", "org1")
	host.apply(t, plan)
	onHost := client.ObjectKeyFromObject(plan)
	here := client.ObjectKey{Namespace: agentNamespace, Name: "trade"}

	eventually(t, "a cluster without cert-manager says so",
		hasCondition(own, here, v1alpha1.PlanIdentitiesReady, metav1.ConditionFalse, v1alpha1.ReasonCertManagerMissing))
	eventually(t, "the host learns of it",
		hasCondition(host, onHost, v1alpha1.PlanIdentitiesReady, metav1.ConditionFalse, v1alpha1.ReasonCertManagerMissing))

	own.startCertManager(t)
	eventually(t, "certificates are issued once cert-manager is there",
		hasCondition(own, here, v1alpha1.PlanIdentitiesReady, metav1.ConditionTrue, v1alpha1.ReasonReady))
	eventually(t, "nodes wait for a StorageClass that is missing",
		hasCondition(host, onHost, v1alpha1.PlanNodesReady, metav1.ConditionFalse, v1alpha1.ReasonStorageClassMissing))
	own.apply(t, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast"}, Provisioner: "example.com/none"})
	eventually(t, "nodes are made once the StorageClass is there", nodesOf(own, "hanse-trade"))
	checkMetrics(t, registry)
	eventually(t, "the other member's node has its one name here", func(ctx context.Context) error {
		var s corev1.Service
		if err := own.Get(ctx, client.ObjectKey{Namespace: "hanse-trade", Name: "peer0-org2"}, &s); err != nil {
			return err
		}
		if s.Spec.ExternalName != "gateway.hanse-system.svc.cluster.local" {
			return fmt.Errorf("it leads to %q", s.Spec.ExternalName)
		}
		return nil
	})
	eventually(t, "the member's root and record reach the host", func(ctx context.Context) error {
		var m v1alpha1.Member
		var p v1alpha1.MemberPlan
		if err := errors.Join(host.Get(ctx, client.ObjectKey{Name: "org1"}, &m), host.Get(ctx, onHost, &p)); err != nil {
			return err
		}
		if m.Status.Root == "" || m.Status.Nodes.Desired != 2 || p.Status.Record == "" {
			return fmt.Errorf("root %q, nodes %+v, record %q", m.Status.Root, m.Status.Nodes, p.Status.Record)
		}
		var published v1alpha1.Statement
		key := client.ObjectKey{Namespace: v1alpha1.StatementsNamespace("trade"), Name: v1alpha1.StatementName("org1", p.Status.Record)}
		if err := host.Get(ctx, key, &published); err != nil {
			return err
		}
		return statement.Verify(&published.Spec, m.Status.Root, "org1", "trade", time.Now(), statement.Content)
	})

	checkConnection(t, host, own, onHost, func() {
		stop()
		stop = startAgent(t, own)
	})
	checkFirstBlocks(t, own)
	checkDrift(t, own)
	checkBurst(t, host, own)

	other := samplePlan("stray", "org9")
	host.apply(t, other)
	eventually(t, "a plan for another member is refused",
		isRejected(host, client.ObjectKeyFromObject(other), v1alpha1.ReasonWrongMember))
	if err := own.Get(ctx, client.ObjectKey{Namespace: agentNamespace, Name: "stray"}, &v1alpha1.MemberPlan{}); !apierrors.IsNotFound(err) {
		t.Fatalf("the plan for another member was mirrored: %v", err)
	}
	if err := own.Get(ctx, client.ObjectKey{Name: "hanse-stray"}, &corev1.Namespace{}); !apierrors.IsNotFound(err) {
		t.Fatalf("the plan for another member was carried out: %v", err)
	}

	if err := host.Delete(ctx, plan.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	proxy.block()
	checkHealing(t, own, "while the host is away")
	stop()
	startAgent(t, own)
	checkHealing(t, own, "after a restart while the host is away")
	proxy.open()
	checkReconnect(t, own, host)
}

// checkFirstBlocks keeps first blocks in the consortium's namespace, under the agent's own rights.
func checkFirstBlocks(t *testing.T, own *cluster) {
	t.Helper()
	ctx := context.Background()
	agent, err := client.New(own.agentConfig(), client.Options{Scheme: own.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	store := genesis.Store{Client: agent, Namespace: "hanse-trade", Consortium: "trade", Owner: "test"}
	hash, large := strings.Repeat("a", 64), make([]byte, v1alpha1.MaxGenesisBytes)
	for _, step := range []struct {
		why string
		do  func() error
	}{
		{"the largest block is kept", func() error { return store.Keep(ctx, "deals", hash, large) }},
		{"and kept again", func() error { return store.Keep(ctx, "deals", hash, large) }},
		{"that all hold it is noted", func() error { return store.Agree(ctx, "deals") }},
		{"no other one takes its place", func() error {
			if err := store.Keep(ctx, "deals", strings.Repeat("b", 64), large); err == nil || !strings.Contains(err.Error(), "first-block.deals") {
				return fmt.Errorf("another block was kept: %w", err)
			}
			return nil
		}},
		{"both are read back", func() error {
			pins, err := store.All(ctx)
			if want := (ledger.Pin{Hash: hash, Agreed: true}); err != nil || len(pins) != 1 || pins["deals"] != want {
				return fmt.Errorf("%v: %w", pins, err)
			}
			block, err := store.Block(ctx, "deals")
			if err != nil || len(block) != len(large) {
				return fmt.Errorf("a block of %d bytes: %w", len(block), err)
			}
			return nil
		}},
		{"not even the organization's administrator changes it by mistake", func() error {
			var cm corev1.ConfigMap
			if err := own.Get(ctx, client.ObjectKey{Namespace: "hanse-trade", Name: "first-block.deals"}, &cm); err != nil {
				return err
			}
			cm.BinaryData["block.pb.gz"] = []byte("other")
			if err := own.Update(ctx, &cm); !apierrors.IsInvalid(err) {
				return fmt.Errorf("it was changed: %w", err)
			}
			return nil
		}},
		{"everything is forgotten once the nodes are down", func() error {
			if err := store.Forget(ctx); err != nil {
				return err
			}
			if pins, err := store.All(ctx); err != nil || len(pins) > 0 {
				return fmt.Errorf("%v: %w", pins, err)
			}
			return nil
		}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("first blocks: %s: %v", step.why, err)
		}
	}
}

// checkReconnect is what happens once the host can be reached again: the plan that it has lost stays mirrored, a new one
// arrives, and one that says retire takes everything down, here first and then its mirror.
func checkReconnect(t *testing.T, own, host *cluster) {
	t.Helper()
	ctx := context.Background()
	plan := samplePlan("fish", "org1")
	host.apply(t, plan)
	onHost, here := client.ObjectKeyFromObject(plan), client.ObjectKey{Namespace: agentNamespace, Name: "fish"}
	eventually(t, "a new plan arrives once the host is back", nodesOf(own, "hanse-fish"))
	if err := own.Get(ctx, client.ObjectKey{Namespace: agentNamespace, Name: "trade"}, &v1alpha1.MemberPlan{}); err != nil {
		t.Fatalf("the plan that the host has lost is not mirrored any more: %v", err)
	}
	if err := host.Get(ctx, onHost, plan); err != nil {
		t.Fatal(err)
	}
	// A patch, for the agent writes the plan's status in the meantime.
	before := client.MergeFrom(plan.DeepCopy())
	plan.Spec.Retire = true
	if err := host.Patch(ctx, plan, before); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a plan that says retire is taken down", hasCondition(host, onHost, v1alpha1.PlanRetired, metav1.ConditionTrue, v1alpha1.ReasonReady))
	if err := nodesOf(own, "hanse-fish")(ctx); !apierrors.IsNotFound(err) {
		t.Fatalf("nodes of a retired plan: %v", err)
	}
	if err := host.Delete(ctx, plan); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the mirror of a retired plan goes with it", func(ctx context.Context) error {
		err := own.Get(ctx, here, &v1alpha1.MemberPlan{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			return errors.New("it is still there")
		}
		return err
	})
}

// checkBurst measures how long a plan takes from the host into the own cluster: alone, and a hundred at once.
func checkBurst(t *testing.T, host, own *cluster) {
	t.Helper()
	ctx := context.Background()
	var watch watchFor
	watch.start(t, own)
	for _, round := range []struct {
		name  string
		count int
	}{{"one by one", 20}, {"at once", 100}} {
		var took []time.Duration
		var mu sync.Mutex
		var group sync.WaitGroup
		for i := range round.count {
			one := func() {
				// There is nothing to do for these: they are to be taken down, and were never there.
				p := samplePlan(fmt.Sprintf("b%d-%d", round.count, i), "org1")
				p.Spec.Retire = true
				if err := host.Create(ctx, p); err != nil {
					t.Error(err)
					return
				}
				applied := time.Now()
				arrived, ok := watch.await(p.Name)
				if !ok {
					t.Errorf("plan %s has not arrived", p.Name)
					return
				}
				mu.Lock()
				took = append(took, arrived.Sub(applied))
				mu.Unlock()
				if err := host.Delete(ctx, p); err != nil {
					t.Error(err)
				}
			}
			if round.count <= 20 {
				one()
			} else {
				group.Go(one)
			}
		}
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
		slices.Sort(took)
		t.Logf("plans %s: p50 %s p99 %s", round.name, took[len(took)/2], took[len(took)*99/100])
	}
}

// watchFor notes when mirrors appear.
type watchFor struct {
	mu   sync.Mutex
	seen map[string]time.Time
	wake chan struct{}
}

func (w *watchFor) start(t *testing.T, own *cluster) {
	t.Helper()
	w.seen, w.wake = map[string]time.Time{}, make(chan struct{})
	// An informer: the API server drops a plain watch that does not keep up with a burst.
	c, err := cache.New(own.config, cache.Options{Scheme: own.Scheme(), DefaultNamespaces: map[string]cache.Config{agentNamespace: {}}})
	if err != nil {
		t.Fatal(err)
	}
	informer, err := c.GetInformer(t.Context(), &v1alpha1.MemberPlan{}, cache.BlockUntilSynced(false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: w.arrived}); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Start(t.Context()) }()
	if !c.WaitForCacheSync(t.Context()) {
		t.Fatal("the plans cannot be watched")
	}
}

func (w *watchFor) arrived(object any) {
	p, ok := object.(*v1alpha1.MemberPlan)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.seen[p.Name]; !known {
		w.seen[p.Name] = time.Now()
		close(w.wake)
		w.wake = make(chan struct{})
	}
}

func (w *watchFor) await(name string) (time.Time, bool) {
	for deadline := time.After(testTimeout); ; {
		w.mu.Lock()
		at, ok := w.seen[name]
		wake := w.wake
		w.mu.Unlock()
		if ok {
			return at, true
		}
		select {
		case <-wake:
		case <-deadline:
			return time.Time{}, false
		}
	}
}

// checkDrift edits what has no generation, and waits for it to be as it was: well before the agent looks at everything again.
func checkDrift(t *testing.T, own *cluster) {
	t.Helper()
	ctx := context.Background()
	key := client.ObjectKey{Namespace: "hanse-trade", Name: "peer0-org1"}
	var files corev1.ConfigMap
	var service corev1.Service
	if err := errors.Join(own.Get(ctx, key, &files), own.Get(ctx, key, &service)); err != nil {
		t.Fatal(err)
	}
	core, selector := files.Data["core.yaml"], service.Spec.Selector
	files.Data["core.yaml"] = "peer: {}"
	service.Spec.Selector = map[string]string{"app": "evil"}
	edited := time.Now()
	if err := errors.Join(own.Update(ctx, &files), own.Update(ctx, &service)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a ConfigMap and a Service that somebody has edited are put right", func(ctx context.Context) error {
		if err := errors.Join(own.Get(ctx, key, &files), own.Get(ctx, key, &service)); err != nil {
			return err
		}
		if files.Data["core.yaml"] != core || !maps.Equal(service.Spec.Selector, selector) {
			return errors.New("they are as they were edited")
		}
		return nil
	})
	if took := time.Since(edited); took > apply.CacheTTL/2 {
		t.Errorf("that took %s: nothing but the passing of time has put them right", took)
	}
}

// checkHealing takes a node away and waits for it to come back from the mirror.
func checkHealing(t *testing.T, own *cluster, when string) {
	t.Helper()
	gone := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-trade", Name: "peer0-org1"}}
	if err := own.Delete(context.Background(), gone); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a node that was taken away comes back "+when, nodesOf(own, "hanse-trade"))
}
