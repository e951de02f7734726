package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

const (
	interval     = 200 * time.Millisecond
	readyTimeout = 3 * time.Minute
)

// await polls until done, and gives up early when one of the named programs has ended. What done last said is part of
// the error.
func (c *Cluster) await(ctx context.Context, what string, programs []string, done func(context.Context) error) error {
	var last, ended error
	err := wait.PollUntilContextTimeout(ctx, interval, readyTimeout, true, func(ctx context.Context) (bool, error) {
		if last = done(ctx); last == nil {
			return true, nil
		}
		ended = c.ended(programs)
		return false, ended
	})
	switch {
	case err == nil:
		return nil
	case ended != nil:
		return ended
	default:
		return fmt.Errorf("waited for %s (%w): %w; the logs are in %s", what, err, last, c.path("logs"))
	}
}

// ended says which of the programs has ended, with the last lines of its log.
func (c *Cluster) ended(programs []string) error {
	for _, name := range programs {
		record, err := process.Read(c.Dir, name)
		if err == nil && !record.Alive() {
			file := process.LogFile(c.Dir, name)
			return fmt.Errorf("%s has ended; the end of %s:\n%s", name, file, tail(file))
		}
	}
	return nil
}

func tail(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

func (c *Cluster) waitServing(ctx context.Context, config *rest.Config) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	return c.await(ctx, "kube-apiserver", []string{"etcd", "kube-apiserver"}, func(ctx context.Context) error {
		return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// nodeState says what is still wrong with a node, nil if nothing.
type nodeState func(*unstructured.Unstructured) error

func registered(*unstructured.Unstructured) error { return nil }

// readySince wants the kubelet to have said so itself after a moment: what the cluster still remembers from before a
// restart says nothing.
func readySince(moment time.Time) nodeState {
	return func(node *unstructured.Unstructured) error {
		conditions, _, _ := unstructured.NestedSlice(node.Object, "status", "conditions")
		for _, each := range conditions {
			condition, ok := each.(map[string]any)
			if !ok || condition["type"] != "Ready" {
				continue
			}
			said, _ := condition["lastHeartbeatTime"].(string)
			heartbeat, err := time.Parse(time.RFC3339, said)
			if err != nil || heartbeat.Before(moment.Truncate(time.Second)) {
				return errors.New("the node has not said anything since its kubelet was started")
			}
			if condition["status"] != "True" {
				return fmt.Errorf("the node says %v", condition["message"])
			}
			return nil
		}
		return errors.New("the node has not said yet whether it is ready")
	}
}

func (c *Cluster) waitNode(ctx context.Context, config *rest.Config, state nodeState) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	nodes := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"})
	return c.await(ctx, "the node", []string{"kubelet", "containerd"}, func(ctx context.Context) error {
		node, err := nodes.Get(ctx, c.NodeName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		return state(node)
	})
}

// waitDNS asks the cluster's DNS from the node for the one name that every cluster has.
func (c *Cluster) waitDNS(ctx context.Context) error {
	programs := []string{"kubelet", "containerd", "kube-proxy", "kube-controller-manager", "kube-scheduler"}
	return c.await(ctx, "DNS", programs, func(context.Context) error {
		const name = "kubernetes.default.svc.cluster.local."
		return network.Inside(c.Testbed.LAN(c.Name), func() error {
			return ask(topology.DNSService, name, topology.KubernetesService)
		})
	})
}
