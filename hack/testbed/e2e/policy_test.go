//go:build testbed

package e2e

import (
	"errors"
	"os"
	"testing"
)

const (
	// onlyClient lets the client into the server, and nobody else.
	onlyClient = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: server, namespace: restricted}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 8080}]}]
`
	// onlyNames lets the client ask the cluster's DNS, and nothing else.
	onlyNames = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: client, namespace: restricted}
spec:
  podSelector: {matchLabels: {app: client}}
  policyTypes: [Egress]
  egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}]
`
)

// policies lets a client and a outsider dial a server by its Service, without policies and under some.
func (r rig) policies(t *testing.T) {
	manifest, err := os.ReadFile("testdata/policy.yaml")
	check(t, err)
	eventually(t, "apply", func() (string, error) { return r.kubectl(string(manifest), "org1", "apply", "-f", "-") })
	for _, pod := range [][]string{{"restricted", "server"}, {"restricted", "client"}, {"other", "outsider"}} {
		eventually(t, pod[1]+" is ready", func() (string, error) {
			return r.kubectl("", "org1", "-n", pod[0], "wait", "--for=condition=Ready", "pod/"+pod[1], "--timeout=240s")
		})
	}
	dial := func(namespace, pod, to string) (string, error) {
		return r.kubectl("", "org1", "-n", namespace, "exec", pod, "--", "/probe", "dial", to)
	}
	reaches := func(namespace, pod, to string) {
		t.Helper()
		eventually(t, pod+" reaches "+to, func() (string, error) { return dial(namespace, pod, to) })
	}
	blocked := func(namespace, pod, to string) {
		t.Helper()
		eventually(t, pod+" does not reach "+to, func() (string, error) {
			out, err := dial(namespace, pod, to)
			if err == nil {
				return out, errors.New("it does")
			}
			return out, nil
		})
	}
	const server, api = "server.restricted:80", "kubernetes.default:443"
	reaches("restricted", "client", server)
	reaches("other", "outsider", server)
	reaches("restricted", "client", api)

	r.mustKubectl(t, onlyClient, "apply", "-f", "-")
	blocked("other", "outsider", server)
	reaches("restricted", "client", server)
	if out, err := r.kubectl("", "org1", "-n", "restricted", "wait", "--for=condition=Ready", "pod/server", "--timeout=0"); err != nil {
		t.Errorf("the kubelet's probe does not reach the server: %v %s", err, out)
	}

	r.mustKubectl(t, onlyNames, "apply", "-f", "-")
	blocked("restricted", "client", server)
	blocked("restricted", "client", api) // which is the node's own
	if out, err := r.kubectl("", "org1", "-n", "restricted", "exec", "client", "--", "/probe", "resolve", "kubernetes.default"); err != nil {
		t.Errorf("DNS is cut off: %v %s", err, out)
	}

	r.mustKubectl(t, "", "-n", "restricted", "delete", "networkpolicy", "--all")
	reaches("other", "outsider", server)
	reaches("restricted", "client", api)
	r.mustKubectl(t, string(manifest), "delete", "--wait=false", "-f", "-")
}

// mustKubectl is kubectl at org1, and fails the test with it.
func (r rig) mustKubectl(t *testing.T, stdin string, args ...string) {
	t.Helper()
	if out, err := r.kubectl(stdin, "org1", args...); err != nil {
		t.Fatalf("kubectl %v: %v %s", args, err, out)
	}
}
