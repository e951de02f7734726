package cluster

import "github.com/hanse-io/hanse/hack/testbed/topology"

const etcdEndpoint = "https://127.0.0.1:2379"

func (c *Cluster) etcdArgs() []string {
	return []string{
		"--name=" + c.Name,
		"--data-dir=" + c.path("etcd"),
		"--listen-client-urls=" + etcdEndpoint,
		"--advertise-client-urls=" + etcdEndpoint,
		"--listen-peer-urls=https://127.0.0.1:2380",
		"--initial-advertise-peer-urls=https://127.0.0.1:2380",
		"--initial-cluster=" + c.Name + "=https://127.0.0.1:2380",
		"--cert-file=" + c.etcdCert("server"), "--key-file=" + c.etcdKey("server"),
		"--client-cert-auth", "--trusted-ca-file=" + c.etcdCert("ca"),
		"--peer-cert-file=" + c.etcdCert("server"), "--peer-key-file=" + c.etcdKey("server"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file=" + c.etcdCert("ca"),
		// A testbed is for trying things: its data need not outlive the machine.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func (c *Cluster) apiServerArgs() []string {
	return []string{
		"--bind-address=0.0.0.0", "--secure-port=6443",
		"--advertise-address=" + topology.NodeAddress,
		"--etcd-servers=" + etcdEndpoint,
		"--etcd-cafile=" + c.etcdCert("ca"),
		"--etcd-certfile=" + c.etcdCert("client"), "--etcd-keyfile=" + c.etcdKey("client"),
		"--anonymous-auth=false",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--client-ca-file=" + c.cert("ca"),
		"--tls-cert-file=" + c.cert("kube-apiserver"), "--tls-private-key-file=" + c.key("kube-apiserver"),
		"--tls-min-version=VersionTLS12",
		"--kubelet-certificate-authority=" + c.cert("ca"),
		"--kubelet-client-certificate=" + c.cert("kube-apiserver-kubelet"),
		"--kubelet-client-key=" + c.key("kube-apiserver-kubelet"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file=" + c.cert("front-proxy-ca"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.cert("front-proxy-client"),
		"--proxy-client-key-file=" + c.key("front-proxy-client"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.path("pki", "sa.pub"),
		"--service-account-signing-key-file=" + c.key("sa"),
		"--service-cluster-ip-range=" + topology.ServiceCIDR,
		"--profiling=false",
	}
}

func (c *Cluster) controllerManagerArgs() []string {
	return append(c.clientArgs("kube-controller-manager"),
		"--allocate-node-cidrs=true", "--cluster-cidr="+topology.PodCIDR,
		"--service-cluster-ip-range="+topology.ServiceCIDR,
		"--cluster-signing-cert-file="+c.cert("ca"), "--cluster-signing-key-file="+c.key("ca"),
		"--root-ca-file="+c.cert("ca"),
		"--service-account-private-key-file="+c.key("sa"),
		"--use-service-account-credentials=true",
		"--flex-volume-plugin-dir="+c.path("volume-plugins"),
	)
}

func (c *Cluster) schedulerArgs() []string { return c.clientArgs("kube-scheduler") }

// clientArgs are what controller manager and scheduler have in common. There is one of each, so none is elected.
func (c *Cluster) clientArgs(name string) []string {
	kubeconfig := c.config(name + ".kubeconfig")
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=" + loopback,
		"--tls-cert-file=" + c.cert(name), "--tls-private-key-file=" + c.key(name),
		"--client-ca-file=" + c.cert("ca"),
		"--requestheader-client-ca-file=" + c.cert("front-proxy-ca"),
		"--leader-elect=false",
		"--profiling=false",
	}
}

func (c *Cluster) kubeletArgs() []string {
	return []string{
		"--config=" + c.config("kubelet.yaml"),
		"--kubeconfig=" + c.config("kubelet.kubeconfig"),
		"--root-dir=" + c.path("kubelet"),
		"--cert-dir=" + c.path("kubelet", "pki"),
		"--hostname-override=" + c.NodeName(),
		"--node-ip=" + topology.NodeAddress,
	}
}

func (c *Cluster) proxyArgs() []string {
	return []string{"--config=" + c.config("kube-proxy.yaml"), "--hostname-override=" + c.NodeName()}
}

func (c *Cluster) policyArgs() []string {
	return []string{"--kubeconfig=" + c.config("network-policy.kubeconfig")}
}

func (c *Cluster) provisionerArgs() []string {
	return []string{
		"--kubeconfig=" + c.config("local-provisioner.kubeconfig"),
		"--root=" + c.path("volumes"),
		"--provisioner-name=testbed/local",
	}
}
