package gateway

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/gateway/probe"
	"github.com/hanse-io/hanse/internal/routing"
)

// access is which far ends of lines the organization's gateway may dial. The host and other members name addresses;
// without local rules they could scan every network that the gateway reaches.
type access struct {
	networks []netip.Prefix // that are allowed
	names    []string       // DNS names that are allowed, with what lies below them; lower case, no dot at either end
	denied   []netip.Prefix
}

// parseAccess reads the flags. Entries to allow are CIDRs, IP addresses or DNS names; those to deny CIDRs or IP addresses.
func parseAccess(allow, deny []string) (access, error) {
	var a access
	for _, entry := range allow {
		if p, err := ParseNetwork(entry); err == nil {
			a.networks = append(a.networks, p)
			continue
		}
		name := strings.ToLower(strings.Trim(entry, "."))
		if strings.ContainsAny(entry, "/:*") || routing.CheckName(name, "") != nil {
			return access{}, fmt.Errorf("--line-allow: %q is neither a CIDR such as 203.0.113.0/24, nor an IP address, nor a DNS name such as lines.example.com", entry)
		}
		a.names = append(a.names, name)
	}
	for _, entry := range deny {
		p, err := ParseNetwork(entry)
		if err != nil {
			return access{}, fmt.Errorf("--line-deny: %w", err)
		}
		a.denied = append(a.denied, p)
	}
	return a, nil
}

// ParseNetwork reads a CIDR or an IP address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is neither a CIDR such as 203.0.113.0/24 nor an IP address", text)
	}
	return p.Masked(), nil
}

// check decides on a line's far end and the IP address that it has been resolved to, just before it is dialed. own are
// the cluster's own networks.
func (a access) check(address string, ip netip.Addr, own []netip.Prefix) error {
	ip = ip.Unmap()
	switch {
	case contains(own, ip):
		return notAllowed(fmt.Errorf("%s is an address of this cluster: give the line end's own", ip))
	case contains(a.denied, ip):
		return notAllowed(fmt.Errorf("%s is among gateway.lines.deny of this organization's chart", ip))
	case a.open(), a.named(address), contains(a.networks, ip):
		return nil
	}
	return notAllowed(fmt.Errorf("%s is not among gateway.lines.allow of this organization's chart: add it there if the line is to end there", ip))
}

// open reports whether every address is allowed that is not denied.
func (a access) open() bool { return len(a.networks)+len(a.names) == 0 }

// explicit reports whether the organization itself allows an address by name or network, so that what answers there may be
// reported.
func (a access) explicit(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && contains(a.networks, ip.Unmap()) || a.named(address)
}

func (a access) named(address string) bool {
	name := strings.ToLower(strings.TrimSuffix(address, "."))
	return slices.ContainsFunc(a.names, func(n string) bool { return name == n || strings.HasSuffix(name, "."+n) })
}

func contains(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func notAllowed(err error) error { return fmt.Errorf("%w: %w", probe.ErrNotAllowed, err) }
