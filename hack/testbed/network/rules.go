package network

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/project"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Names of interfaces inside the namespaces.
const (
	lanInterface        = "lan0"
	managementInterface = "mgmt0"
)

// BorderRules renders the nft rules of a cluster's border router. From the LAN to a line only ports that are allowed at
// the other end may leave, under the line's address; from a line only what is addressed to the line's own end and a port
// allowed here comes in. Applying the same rules twice is harmless.
func BorderRules(f *topology.Testbed, cluster string) string {
	var forward, nat strings.Builder
	for _, l := range f.LinesOf(cluster) {
		name := l.Interface(cluster)
		if leave := listed(f.AllowedAt(l.Peer(cluster))); leave != "" {
			fmt.Fprintf(&forward, "    iifname %q oifname %q tcp dport { %s } accept\n", lanInterface, name, leave)
		}
		fmt.Fprintf(&forward, "    iifname %q oifname %q ct status dnat accept\n", name, lanInterface)
		for _, p := range f.AllowedAt(cluster) {
			fmt.Fprintf(&nat, "    iifname %q ip daddr %s tcp dport %d dnat to %s:%d\n",
				name, l.Address(cluster), p.Port, topology.NodeAddress, p.NodePort)
		}
	}
	return fmt.Sprintf(`table inet filter
delete table inet filter
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname "lo" accept
    meta l4proto icmp accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
%s  }
}
table ip nat
delete table ip nat
table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
%s  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "line-*" masquerade
  }
}
`, forward.String(), nat.String())
}

// listed are ports as nft lists them; empty if there are none.
func listed(allowed []project.Port) string {
	var ports []string
	for _, p := range allowed {
		ports = append(ports, strconv.Itoa(p.Port))
	}
	return strings.Join(ports, ", ")
}

// LANRules renders the nft rules of a cluster's LAN: the management veth serves kube-apiserver to this machine and
// carries nothing else, least of all from a pod or from one cluster to another.
func LANRules() string {
	return fmt.Sprintf(`table inet management
delete table inet management
table inet management {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname %[1]q ct state established,related accept
    iifname %[1]q tcp dport %[2]d accept
    iifname %[1]q meta l4proto icmp accept
    iifname %[1]q drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname %[1]q drop
    oifname %[1]q drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname %[1]q ct state new drop
  }
}
`, managementInterface, topology.APIPort)
}
