package network

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// Up makes every namespace, interface and rule of the testbed that does not exist yet.
func Up(ctx context.Context, f *topology.Testbed) error {
	for _, c := range f.Clusters {
		if err := lan(ctx, f, c); err != nil {
			return fmt.Errorf("network of cluster %s: %w", c.Name, err)
		}
	}
	for _, l := range f.Lines {
		if err := line(ctx, f, l); err != nil {
			return fmt.Errorf("line %s: %w", l.Name(), err)
		}
	}
	for _, c := range f.Clusters {
		if err := borderRules(ctx, f, c.Name); err != nil {
			return fmt.Errorf("border of cluster %s: %w", c.Name, err)
		}
	}
	return nil
}

// AddLine makes one new line of the testbed and opens it in the two borders.
func AddLine(ctx context.Context, f *topology.Testbed, l topology.Line) error {
	if err := line(ctx, f, l); err != nil {
		return fmt.Errorf("line %s: %w", l.Name(), err)
	}
	for _, end := range []string{l.A, l.B} {
		if err := borderRules(ctx, f, end); err != nil {
			return fmt.Errorf("border of cluster %s: %w", end, err)
		}
	}
	return nil
}

// lan makes a cluster's LAN and border. The order of steps leaves no LAN without its rules: an interrupted one is
// finished by the next call, which looks for the single interfaces, not for the namespace.
func lan(ctx context.Context, f *topology.Testbed, c topology.Cluster) error {
	lan, border := f.LAN(c.Name), f.Border(c.Name)
	for _, name := range []string{lan, border} {
		if !exists(name) {
			if err := run(ctx, "", "ip", "netns", "add", name); err != nil {
				return err
			}
		}
	}
	if err := inside(ctx, lan, LANRules(), "nft", "-f", "-"); err != nil {
		return err
	}
	if !hasInterface(ctx, lan, lanInterface) {
		if err := run(ctx, "", "ip", "-netns", lan, "link", "add", lanInterface, "type", "veth",
			"peer", "name", lanInterface, "netns", border); err != nil {
			return err
		}
	}
	if err := management(ctx, f, c); err != nil {
		return err
	}
	// A killed cluster's half-closed connections would keep its LAN alive in the kernel for minutes after its removal.
	if err := inside(ctx, lan, "", "sysctl", "-q", "-w", "net.ipv4.tcp_orphan_retries=1"); err != nil {
		return err
	}
	if err := batch(ctx, lan, "link set lo up",
		"addr replace "+topology.NodeAddress+"/24 dev "+lanInterface, "link set "+lanInterface+" up",
		"addr replace "+c.ManagementAddress().String()+"/30 dev "+managementInterface, "link set "+managementInterface+" up",
		// The default route makes service addresses routable on the node itself; the border drops what it does not know.
		"route replace default via "+topology.BorderAddress,
		"route replace "+topology.LineCIDR+" via "+topology.BorderAddress); err != nil {
		return err
	}
	if err := batch(ctx, border, "link set lo up",
		"addr replace "+topology.BorderAddress+"/24 dev "+lanInterface, "link set "+lanInterface+" up"); err != nil {
		return err
	}
	return inside(ctx, border, "", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
}

// management joins the LAN to this machine. The machine's end comes to it only when it bears its alias, by which
// cleaning up finds it: before that, it is gone with the LAN.
func management(ctx context.Context, f *topology.Testbed, c topology.Cluster) error {
	outer := c.ManagementInterface()
	if hasAddress(ctx, "", outer, c.MachineAddress().String()) && hasInterface(ctx, f.LAN(c.Name), managementInterface) {
		return nil
	}
	if hasInterface(ctx, f.LAN(c.Name), managementInterface) { // a crash came between
		if err := batch(ctx, f.LAN(c.Name), "link del "+managementInterface); err != nil {
			return err
		}
	}
	if err := batch(ctx, f.LAN(c.Name),
		fmt.Sprintf("link add %s type veth peer name %s", managementInterface, outer),
		fmt.Sprintf("link set %s alias %s", outer, f.ManagementAlias(c.Name)),
		fmt.Sprintf("link set %s netns %d", outer, os.Getpid())); err != nil {
		return err
	}
	if err := run(ctx, "", "ip", "addr", "add", c.MachineAddress().String()+"/30", "dev", outer); err != nil {
		return err
	}
	return run(ctx, "", "ip", "link", "set", outer, "up")
}

// line makes a line and gives its ends their addresses. One that has them is left as it is: it may have been cut.
func line(ctx context.Context, f *topology.Testbed, l topology.Line) error {
	a, b := f.Border(l.A), f.Border(l.B)
	if !hasInterface(ctx, a, l.Interface(l.A)) {
		if err := run(ctx, "", "ip", "-netns", a, "link", "add", l.Interface(l.A), "type", "veth",
			"peer", "name", l.Interface(l.B), "netns", b); err != nil {
			return err
		}
	}
	for _, end := range []string{l.A, l.B} {
		border, name, address := f.Border(end), l.Interface(end), l.Address(end).String()
		if hasAddress(ctx, border, name, address) {
			continue
		}
		if err := batch(ctx, border, "link set "+name+" up", "addr add "+address+"/30 dev "+name); err != nil {
			return err
		}
	}
	return nil
}

func borderRules(ctx context.Context, f *topology.Testbed, cluster string) error {
	return inside(ctx, f.Border(cluster), BorderRules(f, cluster), "nft", "-f", "-")
}

func hasInterface(ctx context.Context, namespace, name string) bool {
	out, err := output(ctx, "", "ip", "-netns", namespace, "-oneline", "link", "show", name)
	return err == nil && strings.Contains(out, name)
}

// hasAddress looks in a namespace, or on the machine itself if none is named.
func hasAddress(ctx context.Context, namespace, name, address string) bool {
	args := []string{"-oneline", "addr", "show", "dev", name}
	if namespace != "" {
		args = append([]string{"-netns", namespace}, args...)
	}
	out, err := output(ctx, "", "ip", args...)
	return err == nil && strings.Contains(out, " "+address+"/")
}
