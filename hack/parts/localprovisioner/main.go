// Command local-provisioner makes a directory of this machine for every PersistentVolumeClaim of its storage class:
// what a cluster of one node needs, and no more. It runs as a process beside the kubelet, on the same file system.
//
// It must know nothing of Hanse, and it never removes a directory that is not directly under its root.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file of the cluster (required)")
	root := flag.String("root", "", "directory that holds the volumes (required)")
	name := flag.String("provisioner-name", "testbed/local", "the provisioner that storage classes name")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *root, *name); err != nil {
		fmt.Fprintln(os.Stderr, "local-provisioner:", err)
		os.Exit(1)
	}
}

// run provisions until ctx ends. One process serves a cluster, so there is no leader election.
func run(ctx context.Context, kubeconfig, root, name string) error {
	if kubeconfig == "" || root == "" {
		return fmt.Errorf("give both --kubeconfig FILE and --root DIR")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("cannot make the root of the volumes: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("cannot read the kubeconfig %s: %w", kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx = klog.NewContext(ctx, klog.Background())
	controller.NewProvisionController(ctx, client, name, &directories{root: root},
		controller.LeaderElection(false),
		controller.ExponentialBackOffOnError(true),
		controller.FailedProvisionThreshold(0),
		controller.FailedDeleteThreshold(0),
		controller.RetryIntervalMax(15*time.Second),
		controller.MetricsPort(0),
	).Run(ctx)
	return nil
}
