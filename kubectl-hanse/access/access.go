// Package access opens the cluster that a person's kubeconfig points at. It must not know what is asked of it.
package access

import (
	"fmt"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Flags are the ones that kubectl has for choosing a cluster.
type Flags struct {
	Kubeconfig string
	Context    string
	Namespace  string
}

// AddTo adds the flags to a flag set, under kubectl's names.
func (f *Flags) AddTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.Kubeconfig, "kubeconfig", "", "path of the kubeconfig; $KUBECONFIG or ~/.kube/config if empty")
	flags.StringVar(&f.Context, "context", "", "context of the kubeconfig; the current one if empty")
	flags.StringVarP(&f.Namespace, "namespace", "n", "", "namespace; the context's if empty")
}

func (f *Flags) loader() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.Kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.Context})
}

// Cluster is an open cluster.
type Cluster struct {
	// Client reads and writes objects, Hanse's kinds among them.
	Client client.WithWatch
	// Clientset serves subresources, such as tokens.
	Clientset kubernetes.Interface
	// Config of the connection.
	Config *rest.Config
	// Namespace that was asked for, or the context's.
	Namespace string
}

// Open opens the cluster that the flags name.
func (f *Flags) Open() (*Cluster, error) {
	loader := f.loader()
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to talk to: %w; point --kubeconfig or $KUBECONFIG at one", err)
	}
	config.UserAgent = "kubectl-hanse"
	// kubectl's own limits. client-go's, 5 requests a second, are for controllers; it is the API server that protects itself.
	config.QPS, config.Burst = 50, 300
	namespace := f.Namespace
	if namespace == "" {
		if namespace, _, err = loader.Namespace(); err != nil {
			return nil, fmt.Errorf("read the context's namespace: %w", err)
		}
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	objects, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("open the cluster at %s: %w", config.Host, err)
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("open the cluster at %s: %w", config.Host, err)
	}
	return &Cluster{Client: objects, Clientset: clientset, Config: config, Namespace: namespace}, nil
}
