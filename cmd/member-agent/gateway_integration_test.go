//go:build integration

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/gateway"
	"github.com/hanse-io/hanse/gateway/configmap"
	"github.com/hanse-io/hanse/internal/routing"
	"github.com/hanse-io/hanse/member-agent/networks"
)

// tools runs helm and kubectl on a cluster.
type tools struct {
	t          *testing.T
	kubeconfig string
}

func (c *cluster) tools(t *testing.T) tools {
	t.Helper()
	user, err := c.env.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return tools{t, file}
}

func (k tools) run(name string, args ...string) string {
	k.t.Helper()
	out, err := exec.Command(asset(k.t, name), append(args, "--kubeconfig", k.kubeconfig)...).CombinedOutput()
	if err != nil {
		k.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// gatewayKinds are what a gateway consists of, but for its certificate and its routes, which the agent makes.
const gatewayKinds = "deployments,poddisruptionbudgets,services,serviceaccounts,roles,rolebindings,networkpolicies"

// TestUninstallingTheAgentKeepsItsGateway has real helm install, uninstall and install again, as an organization does that
// moves its agent: its lines stay up meanwhile. There is no controller here; what is there is what helm leaves.
func TestUninstallingTheAgentKeepsItsGateway(t *testing.T) {
	own := startCluster(t)
	k := own.tools(t)
	install := append([]string{"install", "member-agent", ownChart, "--create-namespace"}, chartValues...)
	k.run("helm", install...)
	var before, after appsv1.Deployment
	gateway := client.ObjectKey{Namespace: agentNamespace, Name: "gateway"}
	if err := own.Get(t.Context(), gateway, &before); err != nil {
		t.Fatal(err)
	}
	parts := func() []string {
		return strings.Fields(k.run("kubectl", "-n", agentNamespace, "get", gatewayKinds, "-l", "app.kubernetes.io/name=gateway", "-o", "name"))
	}
	all := parts()
	if len(all) != 8 {
		t.Fatalf("a gateway consists of %v", all)
	}

	k.run("helm", "uninstall", "member-agent", "-n", agentNamespace)
	if err := own.Get(t.Context(), client.ObjectKey{Namespace: agentNamespace, Name: "member-agent"}, &appsv1.Deployment{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the agent is still there: %v", err)
	}
	if left := parts(); !slices.Equal(left, all) {
		t.Fatalf("of %v there is left %v", all, left)
	}

	k.run("helm", install...)
	if err := own.Get(t.Context(), gateway, &after); err != nil || after.UID != before.UID {
		t.Errorf("the gateway is another one: %v", err)
	}
	if after.Generation != before.Generation {
		t.Errorf("the gateway was changed by being taken up again: generation %d, then %d", before.Generation, after.Generation)
	}

	k.run("helm", "uninstall", "member-agent", "-n", agentNamespace)
	k.run("kubectl", "-n", agentNamespace, "delete", gatewayKinds, "-l", "app.kubernetes.io/name=gateway") // docs/tasks/remove.md
	if left := parts(); len(left) != 0 {
		t.Errorf("the documented command leaves %v", left)
	}
}

// TestGatewayIsReplacedWithoutAGap reads what helm renders: what keeps one gateway there while another one goes, and does so
// on a cluster of one node too.
func TestGatewayIsReplacedWithoutAGap(t *testing.T) {
	for _, c := range []struct {
		why, values  string
		replicas     int32
		antiAffinity bool
	}{
		{"the defaults", ``, 2, true},
		{"one gateway, whose node can be drained all the same", `gateway: {replicas: 1}`, 1, true},
		{"the organization's own affinity", `affinity: {nodeAffinity: {}}`, 2, false},
	} {
		out, err := render(t, c.values)
		if err != nil {
			t.Fatalf("%s: %v\n%.2000s", c.why, err, out)
		}
		deployment, budget := &appsv1.Deployment{}, &policyv1.PodDisruptionBudget{}
		decodeRendered(t, out, "gateway", deployment)
		decodeRendered(t, out, "gateway", budget)
		pod := deployment.Spec.Template.Spec
		if got := *deployment.Spec.Replicas; got != c.replicas {
			t.Errorf("%s: %d replicas, want %d", c.why, got, c.replicas)
		}
		if rolling := deployment.Spec.Strategy.RollingUpdate; rolling.MaxUnavailable.IntValue() != 0 || rolling.MaxSurge.IntValue() != 1 {
			t.Errorf("%s: an upgrade takes gateways away before there are others: %v", c.why, rolling)
		}
		if budget.Spec.MinAvailable != nil || budget.Spec.MaxUnavailable.IntValue() != 1 {
			t.Errorf("%s: a drain takes all, or none: %+v", c.why, budget.Spec)
		}
		if !maps.Equal(budget.Spec.Selector.MatchLabels, deployment.Spec.Selector.MatchLabels) {
			t.Errorf("%s: the budget is for %v, the gateways are %v", c.why, budget.Spec.Selector, deployment.Spec.Selector)
		}
		o := gateway.DefaultOptions()
		grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second
		if needed := o.DrainDelay + o.DrainTimeout + o.CloseTimeout; grace < needed+10*time.Second {
			t.Errorf("%s: a gateway takes %v to drain, and is killed after %v", c.why, needed, grace)
		}
		if len(pod.TopologySpreadConstraints) != 2 {
			t.Errorf("%s: nothing spreads the gateways: %v", c.why, pod.TopologySpreadConstraints)
		}
		for _, s := range pod.TopologySpreadConstraints {
			if s.WhenUnsatisfiable != corev1.ScheduleAnyway || !maps.Equal(s.LabelSelector.MatchLabels, deployment.Spec.Selector.MatchLabels) {
				t.Errorf("%s: on one node there is no second gateway: %+v", c.why, s)
			}
		}
		if got := pod.Affinity != nil && pod.Affinity.PodAntiAffinity != nil; got != c.antiAffinity {
			t.Errorf("%s: affinity %+v", c.why, pod.Affinity)
		}
		if c.antiAffinity && len(pod.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
			t.Errorf("%s: on one node there is no second gateway: %+v", c.why, pod.Affinity)
		}
	}
}

// decodeRendered finds an object of into's type by name in what helm has rendered.
func decodeRendered(t *testing.T, rendered, name string, into client.Object) {
	t.Helper()
	strict := serializer.NewCodecFactory(clientgoscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(rendered)))
	for {
		text, err := documents.Read()
		if err != nil {
			t.Fatalf("%T %s is not in what helm has rendered: %v", into, name, err)
		}
		if object, _, err := strict.Decode(text, nil, nil); err == nil && reflect.TypeOf(object) == reflect.TypeOf(into) && object.(client.Object).GetName() == name {
			reflect.ValueOf(into).Elem().Set(reflect.ValueOf(object).Elem())
			return
		}
	}
}

// TestOwnNetworksAreFound has the agent ask a real API server, with the rights that the chart gives it.
func TestOwnNetworksAreFound(t *testing.T) {
	own := startCluster(t)
	own.namespace(t, agentNamespace)
	own.chart(t)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker"}, Spec: corev1.NodeSpec{PodCIDR: "10.42.0.0/24", PodCIDRs: []string{"10.42.0.0/24"}}}
	own.apply(t, node)
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.168.0.10"}}
	if err := own.Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	agent, err := client.New(own.agentConfig(), client.Options{Scheme: own.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	var found networks.Own
	eventually(t, "the agent's rights are there", func(context.Context) error { // the authorizer watches, as everybody does
		f := &networks.Finder{Client: agent, Now: time.Now}
		found, err = f.Find(t.Context())
		if err == nil && len(found.Problems) > 0 {
			err = os.ErrPermission
		}
		return err
	})
	for _, want := range []string{"10.42.0.0/24", "192.168.0.10/32"} {
		if !slices.Contains(found.CIDRs, want) {
			t.Errorf("%s is not among %v", want, found.CIDRs)
		}
	}
	var api corev1.Service
	if err := own.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "kubernetes"}, &api); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(found.CIDRs, func(cidr string) bool { return strings.HasPrefix(api.Spec.ClusterIP, strings.TrimSuffix(cidr, "0/24")) }) {
		t.Errorf("no network of Services with %s is among %v", api.Spec.ClusterIP, found.CIDRs)
	}
}

// TestGatewaysReport has two gateways report, with the rights that the chart gives them, and the agent hand on what they say
// together, with its own.
func TestGatewaysReport(t *testing.T) {
	host := startCluster(t, "../../charts/federation/crds")
	own := startCluster(t, "../../charts/member-agent/crds")
	own.namespace(t, agentNamespace)
	own.chart(t)
	prepareHost(t, host)
	registerMember(t, own, host, "org1")
	startAgent(t, own)
	config := rest.CopyConfig(own.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + agentNamespace + ":gateway"}
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	sink := func(pod string) *configmap.Sink {
		return &configmap.Sink{
			Client: c, Namespace: agentNamespace, Name: routing.ReportConfigMap, Key: routing.ReportKey(pod), FieldManager: routing.FieldManager,
		}
	}
	report := func(pod string, state v1alpha1.LineState, age time.Duration) {
		t.Helper()
		text, err := json.Marshal(routing.Report[gateway.LineReport]{Time: time.Now().Add(-age), Lines: []gateway.LineReport{{
			LineReport: v1alpha1.LineReport{Name: "l", Member: "org2", State: state, Since: metav1.Unix(1, 0)}, Detail: "for org1 alone",
		}}})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, pod+" reports", func(ctx context.Context) error { return sink(pod).Report(ctx, text) }) // the authorizer watches
	}
	onHost := func(want v1alpha1.LineState) func(context.Context) error {
		return func(ctx context.Context) error {
			var m v1alpha1.Member
			if err := host.Get(ctx, client.ObjectKey{Name: "org1"}, &m); err != nil {
				return err
			}
			if want == "" && len(m.Status.Lines) == 0 || len(m.Status.Lines) == 1 && m.Status.Lines[0].State == want {
				return nil
			}
			return fmt.Errorf("the host is told %+v", m.Status.Lines)
		}
	}

	report("gateway-a", v1alpha1.LineDown, 0)
	eventually(t, "one gateway's word is the organization's", onHost(v1alpha1.LineDown))
	report("gateway-b", v1alpha1.LineUp, 0)
	eventually(t, "a line is up that one of two reaches", onHost(v1alpha1.LineUp))
	report("gateway-old", v1alpha1.LineUp, time.Hour)
	if err := sink("gateway-b").Withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "who has withdrawn, or is gone, does not count", onHost(v1alpha1.LineDown))
	eventually(t, "what is left by a gateway that is long gone is removed", func(ctx context.Context) error {
		var cm corev1.ConfigMap
		err := own.Get(ctx, client.ObjectKey{Namespace: agentNamespace, Name: routing.ReportConfigMap}, &cm)
		if keys := slices.Sorted(maps.Keys(cm.Data)); err == nil && !slices.Equal(keys, []string{"gateway-a.json"}) {
			err = fmt.Errorf("there are reports %v", keys)
		}
		return err
	})
	report("gateway-a", v1alpha1.LineDown, routing.ReportTimeout-3*time.Second)
	eventually(t, "without an event, a report that is not renewed expires", onHost(""))
}
