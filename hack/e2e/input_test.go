//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/stage"
)

// badInput declares what cannot work on clusters, looks for a message that says so, mends it and waits until it works.
func badInput(t *testing.T, s *stage.Stage) {
	for _, row := range []struct{ why, manifests, says, mend string }{
		{"an image that cannot be pulled", brokenContract("ghcr.io/hanse-io/no-such-image:0.0.0"), "no-such-image", brokenContract("ghcr.io/hanse-io/contract-asset:" + stage.Version)},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := s.Apply(t.Context(), "host", row.manifests); err != nil {
				t.Fatal(err)
			}
			eventually(t, 2*time.Minute, "a message that says what is wrong", func() error {
				got := get(t, s, "host", `{.status.conditions[?(@.type=="Ready")].message}`, "contract", "broken")
				if !strings.Contains(got, row.says) {
					return fmt.Errorf("the message is %q", got)
				}
				return nil
			})
			if err := s.Apply(t.Context(), "host", row.mend); err != nil {
				t.Fatal(err)
			}
			eventually(t, 4*time.Minute, "it recovers once it is mended", isReady(t, s, "contract", "broken"))
		})
	}
}

func brokenContract(image string) string {
	return fmt.Sprintf(`
apiVersion: federation.hanse.io/v1alpha1
kind: Contract
metadata: {name: broken, namespace: default}
spec: {channel: settlement, image: %q}
`, image)
}

// strangersClients lets Fabric's own command line and an application on the archived SDK work with what Hanse exports.
func strangersClients(t *testing.T, s *stage.Stage) {
	folder := t.TempDir()
	environment := must2(t)(s.Hanse(t.Context(), "org1", "env", "trade", "--out", folder+"/msp"))
	peer := strings.TrimSpace(must2(t)(s.Part("peer")))
	script := environment + fmt.Sprintf("export FABRIC_CFG_PATH=%s\nexec %s channel getinfo -c settlement", strings.TrimSpace(must2(t)(s.Sampleconfig(t.Context()))), peer)
	if out := must2(t)(s.Fleet(t.Context(), "exec", "org1", "--dns", "--", "bash", "-c", script)); !strings.Contains(out, "height") {
		t.Errorf("the peer command printed no height: %s", out)
	}
}

// uninstalled deletes the consortium and then Hanse itself, and looks for what is left.
func uninstalled(t *testing.T, s *stage.Stage) {
	for _, kind := range []string{"contracts", "channels", "consortia"} {
		must2(t)(s.Kubectl(t.Context(), "host", "delete", kind, "--all", "--timeout=180s"))
	}
	for _, member := range s.Members {
		eventually(t, 2*time.Minute, member+" has taken its nodes down", func() error {
			out, err := s.Kubectl(t.Context(), member, "-n", "hanse-trade", "get", "pods,statefulsets,deployments,services,certificates,issuers", "-o", "name")
			if err != nil || strings.TrimSpace(out) != "" {
				return fmt.Errorf("left over: %s %w", strings.Fields(out), err)
			}
			return nil
		})
		if out := must2(t)(s.Kubectl(t.Context(), member, "-n", "hanse-trade", "get", "pvc", "-o", "name")); !strings.Contains(out, "data-peer0-"+member) {
			t.Errorf("%s: the volumes were to be kept, found %q", member, out)
		}
		must2(t)(s.Helm(t.Context(), member, "uninstall", "member-agent", "-n", "hanse-system", "--wait", "--timeout", "120s"))
		if out := must2(t)(s.Kubectl(t.Context(), member, "-n", "hanse-system", "get", "pods,deployments,services", "-o", "name")); strings.TrimSpace(out) != "" {
			t.Errorf("%s: left in hanse-system: %s", member, out)
		}
	}
	must2(t)(s.Kubectl(t.Context(), "host", "delete", "lines,members", "--all", "--timeout=60s"))
	must2(t)(s.Helm(t.Context(), "host", "uninstall", "federation", "-n", "hanse-system", "--wait", "--timeout", "120s"))
	if out := must2(t)(s.Kubectl(t.Context(), "host", "get", "namespaces", "-o", "name")); strings.Contains(out, "hanse-member-") {
		t.Errorf("the host still has %s", out)
	}
}
