package cluster

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hanse-io/hanse/hack/testbed/addons"
	"github.com/hanse-io/hanse/hack/testbed/process"
)

// Start brings the cluster up, or up again, and returns when its node is ready and its DNS answers. Whatever of it
// runs already is left alone. images are archives that its containerd has to hold before.
func (c *Cluster) Start(ctx context.Context, images []string) error {
	if err := c.prepare(); err != nil {
		return fmt.Errorf("cluster %s: %w", c.Name, err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return fmt.Errorf("cluster %s: %w", c.Name, err)
	}
	// Several clusters on few cores start slowly; the client must not slow itself down on top of that.
	config.QPS, config.Burst = 100, 200
	group, ctx := errgroup.WithContext(ctx)
	loaded := make(chan struct{})
	group.Go(func() error {
		defer close(loaded)
		if err := c.ensure("containerd", "containerd", "--config", c.config("containerd.toml")); err != nil {
			return err
		}
		return c.preload(ctx, images)
	})
	group.Go(func() error { return c.startKubernetes(ctx, config, loaded) })
	if err := group.Wait(); err != nil {
		return fmt.Errorf("cluster %s: %w", c.Name, err)
	}
	c.Report("ready")
	return nil
}

// prepare writes everything that must be on disk before the first program starts.
func (c *Cluster) prepare() error {
	for _, dir := range []string{"etcd", "kubelet", "pod-logs", "volumes", "volume-plugins"} {
		mode := os.FileMode(0o755)
		if dir == "etcd" {
			mode = 0o700
		}
		if err := os.MkdirAll(c.path(dir), mode); err != nil {
			return err
		}
	}
	if err := c.group().Create(); err != nil {
		return err
	}
	if err := c.certificates(); err != nil {
		return err
	}
	return c.configure()
}

func (c *Cluster) startKubernetes(ctx context.Context, config *rest.Config, loaded <-chan struct{}) error {
	if err := c.ensure("etcd", "etcd", c.etcdArgs()...); err != nil {
		return err
	}
	if err := c.ensure("kube-apiserver", "hyperkube", c.apiServerArgs()...); err != nil {
		return err
	}
	if err := c.waitServing(ctx, config); err != nil {
		return err
	}
	c.Report("kube-apiserver serves")
	select {
	case <-loaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	for name, args := range map[string][]string{
		"kube-controller-manager": c.controllerManagerArgs(),
		"kube-scheduler":          c.schedulerArgs(),
		"kubelet":                 c.kubeletArgs(),
	} {
		if err := c.ensure(name, "hyperkube", args...); err != nil {
			return err
		}
	}
	if err := addons.Apply(ctx, config); err != nil {
		return err
	}
	if err := c.ensure("local-provisioner", "local-provisioner", c.provisionerArgs()...); err != nil {
		return err
	}
	if err := c.ensure("network-policy", "network-policy", c.policyArgs()...); err != nil {
		return err
	}
	// kube-proxy ends when the node that it started without appears.
	if err := c.waitNode(ctx, config, registered); err != nil {
		return err
	}
	if err := c.ensure("kube-proxy", "hyperkube", c.proxyArgs()...); err != nil {
		return err
	}
	kubelet, err := process.Read(c.Dir, "kubelet")
	if err != nil {
		return err
	}
	if err := c.waitNode(ctx, config, readySince(kubelet.At)); err != nil {
		return err
	}
	c.Report("node ready")
	return c.waitDNS(ctx)
}
