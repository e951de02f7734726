//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// neighbour is a pod of the organization's cluster that has nothing to do with any consortium.
const neighbour = `
apiVersion: v1
kind: Namespace
metadata: {name: neighbour}
---
apiVersion: v1
kind: Pod
metadata: {name: neighbour, namespace: neighbour}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: pause, image: "registry.k8s.io/pause:3.10", imagePullPolicy: IfNotPresent}]
`

// fromAnyPod dials from the network of a outsider's pod, in the organization's own cluster, what only the consortium's pods
// are to reach. The outsider's image has no program to dial with; its network namespace is entered from the machine.
const fromAnyPod = `
for space in /var/lib/testbed/$3/state/io.containerd.grpc.v1.cri/netns/cni-*; do
  if nsenter --net="$space" ip -o -4 address | grep -q " inet $0/"; then
    exec nsenter --net="$space" timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2"
  fi
done
exit 3`

// noNetwork is how fromAnyPod ends when no network namespace has the outsider's address.
const noNetwork = 3

// outsidersPod shows that the network policies hold for whoever runs in the same cluster, and what opens them.
func outsidersPod(t *testing.T, s *harness.Harness) {
	const member = "org1"
	if err := s.Apply(t.Context(), member, neighbour); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = s.Kubectl(context.WithoutCancel(t.Context()), member, "delete", "namespace", "neighbour", "--wait=false")
	})
	must2(t)(s.Kubectl(t.Context(), member, "-n", "neighbour", "wait", "--for=condition=Ready", "pod/neighbour", "--timeout=5m"))
	from := get(t, s, member, "{.status.podIP}", "-n", "neighbour", "pod", "neighbour")
	at := func(namespace, selector string) string {
		return get(t, s, member, "{.items[0].status.podIP}", "-n", namespace, "pods", "-l", selector)
	}
	dial := func(address string, port int) error {
		out, err := s.Testbed(t.Context(), "exec", member, "--", "bash", "-c", fromAnyPod, from, address, fmt.Sprint(port), s.Name+"/"+member)
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == noNetwork {
			t.Fatalf("the outsider's network was not found: %s %v", out, err)
		}
		return err
	}
	peer, orderer := at("hanse-trade", "federation.hanse.io/role=peer"), at("hanse-trade", "federation.hanse.io/role=orderer")
	gateway, contract := at("hanse-system", "app.kubernetes.io/name=gateway"), at("hanse-trade", "federation.hanse.io/role=contract")
	closed := func(address string, port int) func() error {
		return func() error {
			if dial(address, port) == nil {
				return fmt.Errorf("%s:%d is open to a outsider", address, port)
			}
			return nil
		}
	}
	for _, row := range []struct {
		why, address string
		port         int
	}{
		{"a peer", peer, 7051},
		{"a peer's operations", peer, 9443},
		{"an orderer", orderer, 7050},
		{"an orderer's administration", orderer, 7053},
		{"an orderer's operations", orderer, 8443},
		{"a contract", contract, 9999},
		{"the gateway's inner side, behind which the other organizations are", gateway, 8443},
	} {
		eventually(t, row.why+" is closed", closed(row.address, row.port))
	}
	if err := dial(gateway, 7443); err != nil {
		t.Errorf("the port of the lines takes anybody, and this shows that the outsider can dial at all: %v", err)
	}
	must2(t)(s.Kubectl(t.Context(), member, "label", "namespace", "neighbour", "federation.hanse.io/application=trade"))
	eventually(t, "a namespace that is labelled for the consortium reaches the peer", func() error { return dial(peer, 7051) })
	eventually(t, "and no more of it", closed(contract, 9999))
	eventually(t, "nor the administration", closed(orderer, 7053))
	load := start(t, s, member, "policies")
	load.goesOn(t, 1)
}
