package cluster

import (
	"path/filepath"

	"github.com/hanse-io/hanse/hack/testbed/cgroup"
	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/pki"
	"github.com/hanse-io/hanse/hack/testbed/process"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Cluster is one cluster of a testbed and what is needed to run it.
type Cluster struct {
	topology.Cluster
	Testbed *topology.Testbed
	Dir     string            // holds all of the cluster's data
	Parts   map[string]string // name of a program -> its path
	// Report is told, in a few words, what has just come about.
	Report func(what string)
}

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.Dir}, elements...)...)
}

func (c *Cluster) config(file string) string  { return c.path("config", file) }
func (c *Cluster) cert(name string) string    { return pki.CertificateFile(c.path("pki"), name) }
func (c *Cluster) key(name string) string     { return pki.KeyFile(c.path("pki"), name) }
func (c *Cluster) etcdCert(n string) string   { return pki.CertificateFile(c.path("pki", "etcd"), n) }
func (c *Cluster) etcdKey(name string) string { return pki.KeyFile(c.path("pki", "etcd"), name) }
func (c *Cluster) group() cgroup.Group        { return cgroup.OfCluster(c.Testbed.Name, c.Name) }

// Socket is where the cluster's containerd listens.
func (c *Cluster) Socket() string { return c.path("containerd.sock") }

// Kubeconfig is the administrator's kubeconfig, for use on this machine.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.Testbed.Dir, c.Name+".kubeconfig") }

// networkName is the name of the pods' network, unlike that of any other cluster on the machine.
func networkName(testbed, cluster string) string { return "testbed." + testbed + "." + cluster }

// collectLess trades memory for time: many clusters share few cores, and collecting garbage is a seventh of what their
// API servers do.
const collectLess = "GOGC=200"

// ensure starts one of the cluster's programs unless it runs.
func (c *Cluster) ensure(name, part string, args ...string) error {
	_, err := process.Ensure(process.Spec{
		Name:      name,
		Path:      c.Parts[part],
		Arg0:      name, // hyperkube goes by the name that it is called
		Args:      args,
		Env:       []string{collectLess},
		Namespace: network.NamespacePath(c.Testbed.LAN(c.Name)),
		Group:     c.group(),
		Dir:       c.Dir,
	})
	return err
}
