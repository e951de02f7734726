package testbed

import (
	"context"
	"errors"
	"os/exec"

	"github.com/hanse-io/hanse/hack/testbed/network"
	"github.com/hanse-io/hanse/hack/testbed/state"
	"github.com/hanse-io/hanse/hack/testbed/topology"
)

// withClusterDNS puts a resolv.conf like a pod's over the machine's own, in the command's own mount namespace.
const withClusterDNS = `file=$(mktemp) && printf 'nameserver ` + topology.DNSService + `\nsearch svc.cluster.local cluster.local\noptions ndots:5\n' > "$file" &&
mount --bind "$file" "$(readlink -f /etc/resolv.conf)" && rm "$file" && exec "$@"`

// Place is where Exec runs a command.
type Place struct {
	Cluster string
	// Border is the cluster's border router instead of its LAN.
	Border bool
	// DNS resolves names as the cluster's pods do.
	DNS bool
}

// Exec prepares a command that runs on a cluster's LAN, as its node would.
func (t *Testbed) Exec(ctx context.Context, at Place, command ...string) (*exec.Cmd, error) {
	if len(command) == 0 {
		return nil, errors.New("no command is given")
	}
	f, err := state.Load(t.name)
	if err != nil {
		return nil, err
	}
	if _, err := f.Cluster(at.Cluster); err != nil {
		return nil, err
	}
	namespace := f.LAN(at.Cluster)
	if at.Border {
		namespace = f.Border(at.Cluster)
	}
	args := []string{"--net=" + network.NamespacePath(namespace), "--"}
	if at.DNS {
		args = append(args, "unshare", "--mount", "--", "sh", "-c", withClusterDNS, "sh")
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(args, command...)...)
	return cmd, cmd.Err
}
