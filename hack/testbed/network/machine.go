package network

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// MachineLinks lists the interfaces on the machine itself that belong to the testbed, told by their alias.
func MachineLinks(ctx context.Context, testbed string) ([]string, error) {
	out, err := output(ctx, "", "ip", "-json", "link", "show", "type", "veth")
	if err != nil {
		return nil, err
	}
	return aliased(out, topology.AliasPrefix(testbed))
}

func aliased(shown, prefix string) ([]string, error) {
	if strings.TrimSpace(shown) == "" {
		return nil, nil
	}
	var links []struct {
		Name  string `json:"ifname"`
		Alias string `json:"ifalias"`
	}
	if err := json.Unmarshal([]byte(shown), &links); err != nil {
		return nil, fmt.Errorf("read the list of interfaces: %w", err)
	}
	var names []string
	for _, l := range links {
		if strings.HasPrefix(l.Alias, prefix) {
			names = append(names, l.Name)
		}
	}
	return names, nil
}

// DeleteLink removes an interface of the machine and its peer.
func DeleteLink(ctx context.Context, name string) error {
	return run(ctx, "", "ip", "link", "del", name)
}

// ManagementTaken tells which management numbers an interface of the machine already has an address of.
func ManagementTaken() (func(number int) bool, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the machine's addresses: %w", err)
	}
	var used []netip.Prefix
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			used = append(used, p)
		}
	}
	return func(number int) bool {
		first, _, err := topology.Ends(topology.ManagementCIDR, number)
		if err != nil {
			return true
		}
		for _, p := range used {
			if p.Contains(first) {
				return true
			}
		}
		return false
	}, nil
}
