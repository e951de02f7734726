//go:build integration

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/logging"
	"github.com/hanse-io/hanse/internal/testcluster"
)

const (
	agentNamespace = "hanse-system"
	// testTimeout is for machines that are busy with other tests too; nothing is right or wrong because it is slow.
	testTimeout = 5 * time.Minute
)

// cluster is a real API server with etcd.
type cluster struct {
	client.Client
	env    *envtest.Environment
	config *rest.Config
}

func startCluster(t *testing.T, crds ...string) *cluster {
	t.Helper()
	env, config, err := testcluster.Start(func() *envtest.Environment {
		return &envtest.Environment{CRDDirectoryPaths: crds, ErrorIfCRDPathMissing: true}
	})
	if err != nil {
		t.Fatalf("start an API server: %v", err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	s, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{Client: c, env: env, config: config}
}

func (c *cluster) namespace(t *testing.T, name string) {
	t.Helper()
	c.apply(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

func (c *cluster) apply(t *testing.T, obj client.Object) {
	t.Helper()
	if err := c.Create(context.Background(), obj); err != nil {
		t.Fatalf("create %T %s: %v", obj, obj.GetName(), err)
	}
}

// manifests applies YAML documents.
func (c *cluster) manifests(t *testing.T, text []byte) {
	t.Helper()
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var u unstructured.Unstructured
		if err := decoder.Decode(&u.Object); err != nil {
			return
		}
		if len(u.Object) == 0 {
			continue
		}
		if err := c.Apply(context.Background(), client.ApplyConfigurationFromUnstructured(&u), client.FieldOwner("test"), client.ForceOwnership); err != nil {
			t.Fatalf("apply %s %s: %v", u.GetKind(), u.GetName(), err)
		}
	}
}

// chart applies the parts of the agent's chart that say what the agent may do.
func (c *cluster) chart(t *testing.T, values ...string) {
	t.Helper()
	helm := exec.Command(asset(t, "helm"), "template", "member-agent", "../../charts/member-agent", "--namespace", agentNamespace,
		"--set", strings.Join(append([]string{"member.name=org1", "host.server=https://host:6443", "host.caData=" + hostAuthority}, values...), ","),
		"--show-only", "templates/rbac.yaml", "--show-only", "templates/admission.yaml")
	out, err := helm.Output()
	if err != nil {
		t.Fatalf("render the chart: %v", err)
	}
	c.manifests(t, out)
}

func asset(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is needed in KUBEBUILDER_ASSETS: %v", name, err)
	}
	return path
}

// certManagerCRDs is the folder of the module in the module cache.
func certManagerCRDs(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cert-manager/cert-manager").Output()
	if err != nil {
		t.Fatalf("find cert-manager's module: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "deploy", "crds")
}

// startCertManager installs cert-manager's kinds and runs its real controllers.
func (c *cluster) startCertManager(t *testing.T) {
	t.Helper()
	if err := testcluster.InstallCRDs(c.config, certManagerCRDs(t)); err != nil {
		t.Fatalf("install cert-manager's CRDs: %v", err)
	}
	user, err := c.env.AddUser(envtest.User{Name: "cert-manager", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(asset(t, "cert-manager-controller"), "--kubeconfig", file, "--health-address", "")
	if err := cmd.Start(); err != nil {
		t.Fatalf("start cert-manager: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// agentConfig acts as the agent's ServiceAccount, with no more rights than the chart gives it.
func (c *cluster) agentConfig() *rest.Config {
	config := rest.CopyConfig(c.config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + agentNamespace + ":member-agent",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + agentNamespace, "system:authenticated"},
	}
	return config
}

// registerMember stores what the host would have issued to the agent, and returns the road to the host.
func registerMember(t *testing.T, own, host *cluster, member string) *testProxy {
	t.Helper()
	user, err := host.env.AddUser(envtest.User{Name: v1alpha1.MemberUser(member), Groups: []string{v1alpha1.MembersGroup}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := user.Config()
	proxy := newTestProxy(t, strings.Trim(strings.TrimPrefix(c.Host, "https://"), "/"))
	own.apply(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: agentNamespace, Name: "hanse-host-credential"},
		Data: map[string][]byte{
			"server": []byte("https://" + proxy.listener.Addr().String()), "ca.crt": c.CAData,
			corev1.TLSCertKey: c.CertData, corev1.TLSPrivateKeyKey: c.KeyData,
		},
	})
	return proxy
}

// setLogger is for the whole process.
var setLogger sync.Once

// startAgent runs the agent as cmd does. The function that it returns stops it and waits.
func startAgent(t *testing.T, own *cluster, change ...func(*options)) (stop func()) {
	t.Helper()
	o := testOptions(t)
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, own.agentConfig(), o) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the agent ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// testOptions are those of an agent of org1 that keeps to this machine.
func testOptions(t *testing.T) options {
	t.Helper()
	o := defaults()
	setLogger.Do(func() {
		logs := logging.Options{Level: cmp.Or(os.Getenv("TEST_LOG_LEVEL"), "error"), Format: "text"}
		if _, err := logs.Set(); err != nil {
			t.Fatal(err)
		}
	})
	o.member, o.namespace, o.pod = "org1", agentNamespace, ""
	o.gossipAddress, o.metricsAddress, o.healthAddress, o.leaderElection = "127.0.0.1:0", "0", "0", false
	o.gateway, o.registry = "127.0.0.1:1", prometheus.NewRegistry()
	return o
}

// eventually polls until check has nothing to say against the state.
func eventually(t *testing.T, what string, check func(ctx context.Context) error) {
	t.Helper()
	var last error
	began := time.Now()
	defer func() { t.Logf("%6.2fs %s", time.Since(began).Seconds(), what) }()
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, testTimeout, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

// isRejected says what is wrong if a plan on the host is not said to be refused for a reason.
func isRejected(host client.Client, plan client.ObjectKey, reason string) func(context.Context) error {
	return func(ctx context.Context) error {
		var p v1alpha1.MemberPlan
		if err := host.Get(ctx, plan, &p); err != nil {
			return err
		}
		for _, got := range p.Status.Conditions {
			if got.Type == v1alpha1.PlanMirrored && got.Status == metav1.ConditionFalse && got.Reason == reason {
				return nil
			}
		}
		return fmt.Errorf("conditions of %s: %+v", plan.Name, p.Status.Conditions)
	}
}

// hasCondition says what is wrong with a condition, if it is not as wanted.
func hasCondition(c client.Client, plan client.ObjectKey, kind string, status metav1.ConditionStatus, reason string) func(context.Context) error {
	return func(ctx context.Context) error {
		var p v1alpha1.MemberPlan
		if err := c.Get(ctx, plan, &p); err != nil {
			return err
		}
		for _, got := range p.Status.Conditions {
			if got.Type == kind {
				if got.Status == status && got.Reason == reason && p.Status.ObservedGeneration == p.Generation {
					return nil
				}
				return fmt.Errorf("%s is %s %s (%s), observed generation %d of %d", kind, got.Status, got.Reason, got.Message, p.Status.ObservedGeneration, p.Generation)
			}
		}
		return fmt.Errorf("no condition %s in %+v", kind, p.Status.Conditions)
	}
}
