package lifecycle

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

// ParseLineAddress reads ADDRESS or ADDRESS:PORT; an IPv6 address with a port stands in brackets. The port is 7443 if there
// is none.
func ParseLineAddress(text string) (LineAddress, error) {
	a := LineAddress{strings.ToLower(strings.TrimSuffix(text, ".")), v1alpha1.PortLine}
	if host, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return LineAddress{}, fmt.Errorf("%q: %q is no TCP port: give one from 1 to 65535", text, port)
		}
		a = LineAddress{strings.ToLower(strings.TrimSuffix(host, ".")), int32(n)}
	}
	if _, err := netip.ParseAddr(a.Address); err != nil && len(validation.IsDNS1123Subdomain(a.Address)) > 0 {
		return LineAddress{}, fmt.Errorf("%q is neither an IP address nor a DNS name, with or without a port: write 203.0.113.1, [fd00::1]:7443 or line.example.com", text)
	}
	return a, nil
}

// owns reports whether a plan's line ends here where the organization itself says that its gateway is reached.
func owns(own []LineAddress, l v1alpha1.PlanLine) bool {
	return slices.Contains(own, LineAddress{strings.ToLower(strings.TrimSuffix(l.LocalAddress, ".")), l.LocalPort})
}

// foreignEnds says which of a plan's lines end here at an address that the organization does not call its own, if it calls
// any its own.
func foreignEnds(plan *v1alpha1.MemberPlan, own []LineAddress) string {
	if len(own) == 0 {
		return ""
	}
	var foreign []string
	for _, l := range plan.Spec.Lines {
		if !owns(own, l) {
			foreign = append(foreign, fmt.Sprintf("%s (%s)", l.Name, net.JoinHostPort(l.LocalAddress, strconv.Itoa(int(l.LocalPort)))))
		}
	}
	if len(foreign) == 0 {
		return ""
	}
	return "; the plan has lines end here at addresses that are not among gateway.addresses of this organization's chart, and its record does not confirm them: " +
		strings.Join(foreign, ", ")
}
