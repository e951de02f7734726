package cluster

import (
	"time"

	"github.com/hanse-io/hanse/hack/testbed/pki"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

const loopback = "127.0.0.1"

// certificates makes every certificate and kubeconfig of the cluster that is missing or out of date.
func (c *Cluster) certificates() error {
	dir := c.path("pki")
	authority, err := pki.NewAuthority(dir, "ca", c.Testbed.FullName(c.Name)+"-ca", time.Now)
	if err != nil {
		return err
	}
	aggregation, err := pki.NewAuthority(dir, "front-proxy-ca", "front-proxy-ca", time.Now)
	if err != nil {
		return err
	}
	etcd, err := pki.NewAuthority(c.path("pki", "etcd"), "ca", "etcd-ca", time.Now)
	if err != nil {
		return err
	}
	for _, leaf := range c.leaves() {
		if err := authority.Ensure(leaf); err != nil {
			return err
		}
	}
	if err := aggregation.Ensure(pki.Leaf{Name: "front-proxy-client", CommonName: "front-proxy-client", Client: true}); err != nil {
		return err
	}
	for _, leaf := range []pki.Leaf{
		{Name: "server", CommonName: "etcd", Hosts: []string{loopback, "localhost"}, Client: true},
		{Name: "client", CommonName: "kube-apiserver", Client: true},
	} {
		if err := etcd.Ensure(leaf); err != nil {
			return err
		}
	}
	if err := pki.ServiceAccountKey(dir); err != nil {
		return err
	}
	return c.kubeconfigs(authority)
}

// leaves are the certificates that the cluster's own authority signs. Names and organizations are those that the
// roles built into Kubernetes are bound to.
func (c *Cluster) leaves() []pki.Leaf {
	return []pki.Leaf{
		{Name: "kube-apiserver", CommonName: "kube-apiserver", Hosts: ServerHosts(c.Testbed, c.Cluster)},
		{Name: "kube-apiserver-kubelet", CommonName: "kube-apiserver-kubelet", Client: true},
		{Name: "admin", CommonName: "testbed-admin", Organization: []string{"system:masters"}, Client: true},
		{Name: "kube-controller-manager", CommonName: "system:kube-controller-manager", Hosts: []string{loopback}, Client: true},
		{Name: "kube-scheduler", CommonName: "system:kube-scheduler", Hosts: []string{loopback}, Client: true},
		{Name: "kube-proxy", CommonName: "system:kube-proxy", Client: true},
		{Name: "local-provisioner", CommonName: "system:local-provisioner", Client: true},
		{Name: "network-policy", CommonName: "system:network-policy", Client: true},
		{Name: "kubelet", CommonName: "system:node:" + c.NodeName(), Organization: []string{"system:nodes"}, Client: true},
		{Name: "kubelet-server", CommonName: c.NodeName(), Hosts: []string{c.NodeName(), topology.NodeAddress, loopback}},
	}
}

// ServerHosts are the names and addresses under which a cluster's kube-apiserver is reached: from pods, from the LAN,
// from this machine and, where lines lead to it, at their ends.
func ServerHosts(f *topology.Testbed, c topology.Cluster) []string {
	hosts := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost",
		loopback, topology.KubernetesService, topology.NodeAddress, c.ManagementAddress().String(),
	}
	if f.ExposesAPI(c.Name) {
		for _, l := range f.LinesOf(c.Name) {
			hosts = append(hosts, l.Address(c.Name).String())
		}
	}
	return hosts
}

func (c *Cluster) kubeconfigs(authority *pki.Authority) error {
	const local = "https://" + topology.NodeAddress + ":6443"
	for _, client := range []string{"kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "local-provisioner", "network-policy"} {
		if err := authority.Kubeconfig(c.config(client+".kubeconfig"), c.Name, local, client); err != nil {
			return err
		}
	}
	return authority.Kubeconfig(c.Kubeconfig(), c.Testbed.FullName(c.Name), c.Server(), "admin")
}

// RenewServer makes a new certificate for kube-apiserver when its addresses have changed; the server takes it up
// without a restart.
func (c *Cluster) RenewServer() error {
	authority, err := pki.NewAuthority(c.path("pki"), "ca", c.Testbed.FullName(c.Name)+"-ca", time.Now)
	if err != nil {
		return err
	}
	return authority.Ensure(c.leaves()[0])
}
