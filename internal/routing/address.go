package routing

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

var dnsLabel = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

// CheckAddress rejects addresses of a line's far end in this cluster or on this machine, by which their publisher could
// reach services behind the gateway.
func CheckAddress(address string, port int32, clusterDomain string) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("%d is no TCP port: give one from 1 to 65535", port)
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		return CheckIP(ip)
	}
	return CheckName(strings.ToLower(address), strings.ToLower(strings.Trim(clusterDomain, ".")))
}

// CheckIP rejects IP addresses that cannot be a far end. The gateway calls it again with a resolved address.
func CheckIP(ip netip.Addr) error {
	if ip.Zone() != "" {
		return fmt.Errorf("%s has a zone, so it means something on one machine only: give a routable address", ip)
	}
	switch ip = ip.Unmap(); {
	case !ip.IsValid(), ip.IsUnspecified(), ip.Is4() && ip.As4()[0] == 0:
		return fmt.Errorf("%s is no address of anybody: give the line end's own", ip)
	case ip.IsLoopback():
		return fmt.Errorf("%s is a loopback address: give the line end's own", ip)
	case ip.IsLinkLocalUnicast():
		return fmt.Errorf("%s is a link-local address: give a routable one", ip)
	case ip.IsMulticast(), ip.Is4() && ip.As4() == [4]byte{255, 255, 255, 255}:
		return fmt.Errorf("%s is a multicast or broadcast address: give the line end's own", ip)
	}
	return nil
}

func CheckName(name, clusterDomain string) error {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	last := labels[len(labels)-1]
	if len(name) > 253 {
		return errors.New("the name is longer than 253 letters, which DNS does not allow")
	}
	for _, l := range labels {
		if !dnsLabel.MatchString(l) {
			return fmt.Errorf("%q is neither an IP address nor a DNS name", name)
		}
	}
	switch {
	case strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"):
		// 127.1 and its like, which some resolvers take for IP addresses.
		return fmt.Errorf("%q is neither a whole IP address nor a DNS name", name)
	case len(labels) == 1:
		return fmt.Errorf("%q is a single label: give the full DNS name, since it is looked up as such", name)
	case last == "localhost", last == "local", last == "svc":
		return fmt.Errorf("%q is a name inside a cluster or a machine: give the line end's own", name)
	case strings.Contains("."+name, ".svc."), strings.HasPrefix(last, "hanse-"), last == "hanse":
		return fmt.Errorf("%q is a name inside a cluster: give the line end's own", name)
	case clusterDomain != "" && strings.HasSuffix("."+strings.TrimSuffix(name, "."), "."+clusterDomain):
		return fmt.Errorf("%q is a name inside this cluster: give the line end's own", name)
	}
	return nil
}
