package policy

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Names are the further names and addresses that an organization lets its nodes' certificates have: a DNS name; with a dot
// before it everything below that name; an IP address or a CIDR. None allows nothing.
type Names []string

var dnsName = regexp.MustCompile(`^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// Validate says which entry is neither a name nor an address.
func (n Names) Validate() error {
	for _, entry := range n {
		if _, err := netip.ParseAddr(entry); err == nil {
			continue
		}
		if _, err := netip.ParsePrefix(entry); err == nil {
			continue
		}
		if !dnsName.MatchString(strings.TrimPrefix(entry, ".")) || len(entry) > 253 {
			return fmt.Errorf("%q is no name for a certificate: give a DNS name such as peer0.example.com, a domain with a dot before it such as .example.com, an IP address, or a CIDR", entry)
		}
	}
	return nil
}

// Allows says whether a certificate may have a name.
func (n Names) Allows(name string) bool {
	if address, err := netip.ParseAddr(name); err == nil {
		return slices.ContainsFunc(n, func(entry string) bool { return holds(entry, address) })
	}
	if !dnsName.MatchString(name) || len(name) > 253 {
		return false
	}
	return slices.ContainsFunc(n, func(entry string) bool {
		if strings.HasPrefix(entry, ".") {
			// A wildcard would stand for names that nobody has looked at; it has to be allowed as it is.
			return strings.HasSuffix(name, entry) && !strings.HasPrefix(name, "*")
		}
		return name == entry
	})
}

func holds(entry string, address netip.Addr) bool {
	if one, err := netip.ParseAddr(entry); err == nil {
		return one == address
	}
	prefix, err := netip.ParsePrefix(entry)
	return err == nil && prefix.Contains(address)
}
