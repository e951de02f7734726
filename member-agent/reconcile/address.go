package reconcile

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// LineAddress is where others reach an organization's gateway: an IP address or a DNS name, in lower case, and a port.
type LineAddress struct {
	Address string
	Port    int32
}

// ParseLineAddress parses ADDRESS or ADDRESS:PORT; an IPv6 address with a port is in brackets. The default port is 7443.
func ParseLineAddress(text string) (LineAddress, error) {
	a := LineAddress{strings.ToLower(strings.TrimSuffix(text, ".")), v1alpha1.PortLine}
	if host, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return LineAddress{}, fmt.Errorf("%q: %q is not a TCP port: give one from 1 to 65535", text, port)
		}
		a = LineAddress{strings.ToLower(strings.TrimSuffix(host, ".")), int32(n)}
	}
	if _, err := netip.ParseAddr(a.Address); err != nil && len(validation.IsDNS1123Subdomain(a.Address)) > 0 {
		return LineAddress{}, fmt.Errorf("%q is neither an IP address nor a DNS name, with or without a port: write 203.0.113.1, [fd00::1]:7443 or line.example.com", text)
	}
	return a, nil
}

// isOwnAddress reports whether a line's local end is one of the organization's own gateway addresses.
func isOwnAddress(own []LineAddress, l v1alpha1.PlanLine) bool {
	return slices.Contains(own, LineAddress{strings.ToLower(strings.TrimSuffix(l.LocalAddress, ".")), l.LocalPort})
}

// unconfirmedLines says which of a plan's lines have a local end that is not among the organization's own gateway
// addresses; empty if there are none of either.
func unconfirmedLines(plan *v1alpha1.MemberPlan, own []LineAddress) string {
	if len(own) == 0 {
		return ""
	}
	var foreign []string
	for _, l := range plan.Spec.Lines {
		if !isOwnAddress(own, l) {
			foreign = append(foreign, fmt.Sprintf("%s (%s)", l.Name, net.JoinHostPort(l.LocalAddress, strconv.Itoa(int(l.LocalPort)))))
		}
	}
	if len(foreign) == 0 {
		return ""
	}
	return "; the plan has lines end here at addresses that are not among gateway.addresses of this organization's chart, and its record does not confirm them: " +
		strings.Join(foreign, ", ")
}
