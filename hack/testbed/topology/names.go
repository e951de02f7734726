package topology

import (
	"fmt"
	"net/netip"
	"strings"
)

// LAN is the name of the network namespace that is a cluster's LAN. Names of testbeds and of clusters hold no dot, so that
// a namespace says whose it is, even if a testbed's name begins with another's.
func (f *Testbed) LAN(cluster string) string { return f.Name + "." + cluster }

// Border is the name of the network namespace that is a cluster's border router.
func (f *Testbed) Border(cluster string) string { return f.LAN(cluster) + borderSuffix }

const borderSuffix = ".border"

// OwnsNamespace says whether a network namespace is one that a testbed of this name makes.
func OwnsNamespace(testbed, namespace string) bool {
	rest, ok := strings.CutPrefix(namespace, testbed+".")
	return ok && ValidateCluster(strings.TrimSuffix(rest, borderSuffix)) == nil
}

// FullName tells a cluster from those of other testbeds, in kubeconfigs and certificates.
func (f *Testbed) FullName(cluster string) string { return f.Name + "-" + cluster }

// NodeName is the name of the cluster's only node.
func (c Cluster) NodeName() string { return c.Name + "-node0" }

// MachineAddress is this machine's end of the cluster's management veth.
func (c Cluster) MachineAddress() netip.Addr {
	first, _, _ := Ends(ManagementCIDR, c.Management)
	return first
}

// ManagementAddress is where this machine finds the cluster's kube-apiserver.
func (c Cluster) ManagementAddress() netip.Addr {
	_, second, _ := Ends(ManagementCIDR, c.Management)
	return second
}

// ManagementInterface is the name of the machine's end of the management veth, unique on the machine.
func (c Cluster) ManagementInterface() string { return fmt.Sprintf("testbed%d", c.Management) }

// ManagementAlias is written on the machine's end, so that it is found even when the state file is lost.
func (f *Testbed) ManagementAlias(cluster string) string { return AliasPrefix(f.Name) + cluster }

// AliasPrefix begins the alias of every interface that the testbed has on the machine.
func AliasPrefix(testbed string) string { return "testbed/" + testbed + "/" }

// Server is the URL of the cluster's kube-apiserver as this machine sees it.
func (c Cluster) Server() string { return fmt.Sprintf("https://%s:%d", c.ManagementAddress(), APIPort) }
