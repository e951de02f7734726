//go:build integration

package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// The tests run the controller against a real kube-apiserver with etcd and a real kube-controller-manager that signs
// certificates and collects garbage. KUBEBUILDER_ASSETS says where these are. The controller speaks as the chart's
// ServiceAccount with the chart's rights and no others.
var (
	ctx    context.Context
	admin  client.Client
	config *rest.Config
	// healthAddress is where the controller answers probes.
	healthAddress string
	// metricsAddress is where the controller serves metrics.
	metricsAddress string
)

func TestMain(m *testing.M) {
	code, err := suite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func suite(m *testing.M) (code int, err error) {
	var cancel context.CancelFunc
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	dir, err := os.MkdirTemp("", "federation")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	o := defaults()
	if healthAddress, err = freeAddress(); err != nil {
		return 1, err
	}
	if metricsAddress, err = freeAddress(); err != nil {
		return 1, err
	}
	o.metricsAddress, o.healthAddress, o.leaderElection, o.logs.Level, o.logs.Format = metricsAddress, healthAddress, false, "error", "text"
	if _, err := o.logs.Set(); err != nil {
		return 1, err
	}

	authority, err := testcluster.NewAuthority(dir)
	if err != nil {
		return 1, err
	}
	env, started, err := testcluster.Start(func() *envtest.Environment {
		env := &envtest.Environment{CRDDirectoryPaths: []string{"../../charts/federation/crds"}, ErrorIfCRDPathMissing: true}
		env.ControlPlane.GetAPIServer().SecureServing.Authn = authority
		return env
	})
	if err != nil {
		return 1, fmt.Errorf("start the control plane: %w", err)
	}
	config = started
	defer func() { _ = env.Stop() }()
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return 1, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return 1, err
	}
	if admin, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	if err := installChart(); err != nil {
		return 1, err
	}
	stop, err := startControllerManager(dir, env.KubeConfig)
	if err != nil {
		return 1, err
	}
	defer stop()

	own := asController(config)
	if err := storeUndecodable(); err != nil {
		return 1, fmt.Errorf("store what cannot be decoded: %w", err)
	}
	mgr, err := newManager(ctx, own, o)
	if err != nil {
		return 1, err
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return 1, fmt.Errorf("the cache did not fill")
	}
	code = m.Run()
	cancel()
	return code, <-done
}

// asController speaks as the chart's ServiceAccount.
func asController(c *rest.Config) *rest.Config {
	own := rest.CopyConfig(c)
	own.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:hanse-system:federation",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:hanse-system", "system:authenticated"},
	}
	return own
}

// freeAddress is a free port on the loopback address.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// startControllerManager runs the parts of the real one that membership and the namespaces for statements rest on.
func startControllerManager(dir string, kubeconfig []byte) (func(), error) {
	path := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "controller-manager.log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-controller-manager"),
		"--kubeconfig="+path, "--leader-elect=false", "--secure-port=0",
		"--controllers=certificatesigningrequest-signing-controller,garbage-collector-controller,namespace-controller,resourcequota-controller",
		"--cluster-signing-cert-file="+filepath.Join(dir, "ca.crt"), "--cluster-signing-key-file="+filepath.Join(dir, "ca.key"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start kube-controller-manager from KUBEBUILDER_ASSETS: %w", err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, nil
}

// installChart applies the chart's RBAC and admission policy, whose rules are the same whatever the values say.
func installChart() error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-system"}}
	if err := admin.Create(ctx, namespace); err != nil {
		return err
	}
	directives := regexp.MustCompile(`(?m)^\s*\{\{.*\}\}\n`)
	for _, file := range []string{"granted.yaml", "rbac.yaml", "admission.yaml"} {
		text, err := os.ReadFile("../../charts/federation/templates/" + file)
		if err != nil {
			return err
		}
		text = directives.ReplaceAll(text, nil)
		text = []byte(strings.ReplaceAll(string(text), "{{ .Release.Namespace }}", "hanse-system"))
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, object); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			object.SetLabels(nil)
			if err := admin.Create(ctx, object); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

// pollTimeout is long, for machines that run other tests at the same time; slowness is not a failure.
const pollTimeout = 5 * time.Minute

// eventually waits for a condition, and reports its last error after the timeout.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, pollTimeout, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

// namespaced makes a namespace for one test's declarations.
func namespaced(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	must(t, admin.Create(ctx, namespace))
	return namespace.Name
}
