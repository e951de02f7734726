package cluster

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// NodeState says in a word how the cluster's node is: Ready, NotReady, or that nobody answers.
func (c *Cluster) NodeState(ctx context.Context) string {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return "no kubeconfig"
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err.Error()
	}
	node, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"}).Get(ctx, c.NodeName(), metav1.GetOptions{})
	switch {
	case errors.Is(err, context.DeadlineExceeded) || err != nil && node == nil:
		return "no answer"
	case err != nil:
		return err.Error()
	case readySince(time.Time{})(node) != nil:
		return "NotReady"
	}
	return "Ready"
}
