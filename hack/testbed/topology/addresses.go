package topology

import (
	"fmt"
	"net/netip"
)

// Every organization's LAN has the same addresses. Separate LANs overlap in real life, and nothing may depend on
// their not overlapping.
const (
	LANPrefix     = "192.168.0.0/24"
	NodeAddress   = "192.168.0.10"
	BorderAddress = "192.168.0.1"
	PodCIDR       = "10.42.0.0/16"
	// NodePodCIDR is the part of PodCIDR that the controller manager gives to a cluster's first and only node.
	NodePodCIDR       = "10.42.0.0/24"
	ServiceCIDR       = "10.43.0.0/16"
	KubernetesService = "10.43.0.1"
	DNSService        = "10.43.0.10"

	// LineCIDR is cut into one /30 for each line, ManagementCIDR into one /30 for each cluster of the machine.
	LineCIDR       = "10.200.0.0/16"
	ManagementCIDR = "10.213.0.0/16"
)

// APIPort is a kube-apiserver's, on its node.
const APIPort = 6443

// Blocks is how many /30 a /16 holds.
const Blocks = 1 << 14

// Ends returns the two usable addresses of the /30 with the given number inside cidr.
func Ends(cidr string, number int) (first, second netip.Addr, err error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return first, second, fmt.Errorf("address range %q: %w", cidr, err)
	}
	if blocks := 1 << (30 - prefix.Bits()); number < 0 || number >= blocks {
		return first, second, fmt.Errorf("%s holds %d address pairs, number %d is not among them", cidr, blocks, number)
	}
	base := prefix.Masked().Addr().As4()
	value := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	value += uint32(number) * 4
	return fromUint32(value + 1), fromUint32(value + 2), nil
}

func fromUint32(v uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
