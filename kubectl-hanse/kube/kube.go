// Package kube opens the cluster that kubectl's flags choose, and explains what requests to it failed of. It must not know
// what is asked of it.
package kube

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Flags are kubectl's own for choosing a cluster and who asks, without the one that leaves the server's certificate
// unverified.
func Flags() *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.Insecure = nil
	return flags.WithWarningPrinter(genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
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
func Open(flags genericclioptions.RESTClientGetter) (*Cluster, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to talk to: %w; point --kubeconfig or $KUBECONFIG at one", err)
	}
	config.UserAgent = "kubectl-hanse"
	// kubectl's own limits. client-go's, 5 requests a second, are for controllers; it is the API server that protects itself.
	config.QPS, config.Burst = 50, 300
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, fmt.Errorf("read the context's namespace: %w", err)
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
