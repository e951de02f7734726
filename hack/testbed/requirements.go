package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/hack/testbed/cluster"
)

// requirement is a program of the machine that a testbed uses, and the Debian package that brings it.
type requirement struct{ program, deb string }

var requirements = []requirement{
	{"containerd", "containerd"}, {"ctr", "containerd"}, {"runc", "runc"},
	{filepath.Join(cluster.CNIPlugins, "bridge"), "containernetworking-plugins"},
	{filepath.Join(cluster.CNIPlugins, "portmap"), "containernetworking-plugins"},
	{"nft", "nftables"}, {"iptables", "iptables"}, {"conntrack", "conntrack"},
	{"ip", "iproute2"}, {"tc", "iproute2"}, {"nsenter", "util-linux"}, {"sysctl", "procps"},
}

// checkMachine says what the machine lacks and how to get it.
func checkMachine(find func(program string) error) error {
	var missing, debs []string
	for _, r := range requirements {
		if find(r.program) != nil {
			missing = append(missing, r.program)
			debs = append(debs, r.deb)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(debs)
	return fmt.Errorf("this machine lacks %s: apt-get install -y %s",
		strings.Join(missing, ", "), strings.Join(slices.Compact(debs), " "))
}

func findProgram(program string) error {
	if filepath.IsAbs(program) {
		_, err := os.Stat(program)
		return err
	}
	_, err := exec.LookPath(program)
	return err
}
