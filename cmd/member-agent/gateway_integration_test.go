//go:build integration

package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/gateway/election"
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
const gatewayKinds = "deployments,services,serviceaccounts,roles,rolebindings,networkpolicies"

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
	if len(all) != 7 {
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
	k.run("kubectl", "-n", agentNamespace, "delete", gatewayKinds, "-l", "app.kubernetes.io/name=gateway") // docs/operating.md
	if left := parts(); len(left) != 0 {
		t.Errorf("the documented command leaves %v", left)
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

// TestOneOfSeveralGatewaysReports has two gateways stand for election, with the rights that the chart gives them.
func TestOneOfSeveralGatewaysReports(t *testing.T) {
	own := startCluster(t)
	own.namespace(t, agentNamespace)
	own.chart(t, "gateway.replicas=2")
	config := rest.CopyConfig(own.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + agentNamespace + ":gateway"}
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var leads [2]func() bool
	var stop [2]func()
	var tasks sync.WaitGroup
	for i, pod := range []string{"gateway-a", "gateway-b"} {
		l, run, err := election.New(c, agentNamespace, pod, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		leads[i], stop[i] = l, cancel
		tasks.Go(func() { run(ctx) })
	}
	defer func() { stop[0](); stop[1](); tasks.Wait() }()
	first := 0
	eventually(t, "one of them reports", func(context.Context) error {
		if leads[1]() {
			first = 1
		}
		if !leads[first]() {
			return errors.New("none does")
		}
		return nil
	})
	if leads[0]() && leads[1]() {
		t.Fatal("both report")
	}
	stop[first]()
	eventually(t, "the other one takes over", func(context.Context) error {
		if leads[first]() || !leads[1-first]() {
			return errors.New("it does not")
		}
		return nil
	})
}
