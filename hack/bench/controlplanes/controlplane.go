package controlplanes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
)

// Namespace of the product in both clusters.
const Namespace = "hanse-system"

// ControlPlane is one control plane.
type ControlPlane struct {
	// Client of an administrator.
	Client client.WithWatch
	Config *rest.Config
	// Kubeconfig of an administrator, as a file.
	Kubeconfig string

	dir, audit string
	env        *envtest.Environment
	authority  *testcluster.Authority
}

func startPlane(dir, assets string) (*ControlPlane, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	p := &ControlPlane{dir: dir, audit: filepath.Join(dir, "audit.log"), Kubeconfig: filepath.Join(dir, "admin.kubeconfig")}
	var err error
	if p.authority, err = testcluster.NewAuthority(dir); err != nil {
		return nil, err
	}
	policyFile := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(policyFile, []byte(policy), 0o600); err != nil {
		return nil, err
	}
	p.env = &envtest.Environment{BinaryAssetsDirectory: assets, ControlPlaneStopTimeout: 2 * time.Minute}
	server := p.env.ControlPlane.GetAPIServer()
	server.SecureServing.Authn = p.authority
	server.Configure().
		// A hundred consortia have more Services than envtest has addresses for.
		Set("service-cluster-ip-range", "10.0.0.0/16").
		Set("audit-policy-file", policyFile).
		Set("audit-log-path", p.audit).
		Set("audit-log-mode", "batch").Set("audit-log-batch-max-wait", "1s")
	if p.Config, err = p.env.Start(); err != nil {
		return nil, fmt.Errorf("start a control plane: %w", err)
	}
	p.Config.QPS = -1
	if err := os.WriteFile(p.Kubeconfig, p.env.KubeConfig, 0o600); err != nil {
		return p, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return p, err
		}
	}
	if p.Client, err = client.NewWithWatch(p.Config, client.Options{Scheme: scheme}); err != nil {
		return p, err
	}
	return p, p.Client.Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})
}

func (p *ControlPlane) stop() error { return p.env.Stop() }

// accountKubeconfig lets a program speak as a ServiceAccount with a token, as it would in a pod.
func (p *ControlPlane) accountKubeconfig(ctx context.Context, name string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name}}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](7200)}}
	if err := p.Client.SubResource("token").Create(ctx, account, request); err != nil {
		return "", fmt.Errorf("a token for ServiceAccount %s: %w", name, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["own"] = &clientcmdapi.Cluster{Server: p.Config.Host, CertificateAuthorityData: p.Config.CAData}
	config.AuthInfos["account"] = &clientcmdapi.AuthInfo{Token: request.Status.Token}
	config.Contexts["own"] = &clientcmdapi.Context{Cluster: "own", AuthInfo: "account", Namespace: Namespace}
	config.CurrentContext = "own"
	path := filepath.Join(p.dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}
