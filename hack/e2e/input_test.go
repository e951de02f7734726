//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// badInput declares what cannot work on clusters, looks for a message that says so, mends it and waits until it works.
func badInput(t *testing.T, s *harness.Harness) {
	for _, row := range []struct{ why, kind, name, wrong, says, corrected string }{
		{"an image that cannot be pulled", "contract", "broken", contractOf("broken", "ghcr.io/hanse-io/no-such-image:0.0.0"), "no-such-image",
			contractOf("broken", "ghcr.io/hanse-io/contract-asset:"+harness.ContractVersion)},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := s.Apply(t.Context(), "host", row.wrong); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a message that says what is wrong", func() error {
				got, err := tryGet(t, s, "host", `{.status.conditions[?(@.type=="Ready")].message}`, row.kind, row.name)
				if err == nil && !strings.Contains(got, row.says) {
					err = fmt.Errorf("the message is %q", got)
				}
				return err
			})
			if err := s.Apply(t.Context(), "host", row.corrected); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it recovers once it is corrected", isReady(t, s, row.kind, row.name))
		})
	}
	lineToNowhere(t, s)
}

// lineToNowhere declares a line that leads nowhere, and then one over the addresses of another: one road is one line.
func lineToNowhere(t *testing.T, s *harness.Harness) {
	end := func(i int) string {
		return get(t, s, "host", fmt.Sprintf("{.spec.ends[%d].address}", i), "line", "org1-org3")
	}
	port := get(t, s, "host", "{.spec.ends[0].port}", "line", "org1-org3")
	for _, row := range []struct{ why, line, says string }{
		{"a line to nowhere", unreachableLine("10.200.255.1", "10.200.255.2", port), "does not reach"},
		{"a line over the addresses of another", unreachableLine(end(0), end(1), port), "line org1-org3 has the same two addresses"},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := s.Apply(t.Context(), "host", row.line); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a message that says what is wrong", func() error {
				got, err := tryGet(t, s, "host", `{.status.conditions[?(@.type=="Ready")].message}`, "line", "nowhere")
				if err == nil && !strings.Contains(got, row.says) {
					err = fmt.Errorf("the message is %q", got)
				}
				return err
			})
		})
	}
	if _, err := s.Kubectl(t.Context(), "host", "delete", "line", "nowhere"); err != nil {
		t.Error(err)
	}
}

func unreachableLine(one, other, port string) string {
	return fmt.Sprintf(`
apiVersion: federation.hanse.io/v1alpha1
kind: Line
metadata: {name: nowhere}
spec: {priority: 900, ends: [{member: org1, address: %s, port: %s}, {member: org3, address: %s, port: %s}]}
`, one, port, other, port)
}

// outsidersClients lets Fabric's own command line and an application on the archived SDK work with what Hanse exports.
func outsidersClients(t *testing.T, s *harness.Harness) {
	folder := t.TempDir()
	environment := must2(t)(s.Hanse(t.Context(), "org1", "env", "trade", "--out", folder+"/msp"))
	peer := strings.TrimSpace(must2(t)(s.Part("peer")))
	script := environment + fmt.Sprintf("exec %s channel getinfo -c settlement", peer)
	if out := must2(t)(s.Testbed(t.Context(), "exec", "org1", "--dns", "--", "bash", "-c", script)); !strings.Contains(out, "height") {
		t.Errorf("the peer command printed no height: %s", out)
	}
	application(t, s, folder)
}

// application builds the program on fabric-sdk-go v1.0.0 and runs it as org1's user.
func application(t *testing.T, s *harness.Harness, folder string) {
	program, profile := folder+"/legacyclient", folder+"/profile.yaml"
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir, build.Env = s.Root+"/hack/legacyclient", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the application: %v\n%s", err, out)
	}
	text := must2(t)(s.Hanse(t.Context(), "org1", "profile", "trade"))
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	must2(t)(s.Hanse(t.Context(), "org1", "env", "trade", "--out", folder+"/user", "--identity", "user"))
	out := must2(t)(s.Testbed(t.Context(), "exec", "org1", "--dns", "--", "sh", "-c", fmt.Sprintf(
		"cd %s && exec %s --profile %s --channel settlement --contract notary --msp org1MSP --user-cert user/msp/signcerts/cert.pem --user-key user/msp/keystore/key.pem --id legacy-1 --text hello --timeout 5m",
		folder, program, profile)))
	t.Logf("the application: %s", strings.TrimSpace(out))
	got, err := s.Read(t.Context(), "org2", "legacy-1", testTimeout)
	if err != nil || !strings.Contains(got, harness.Digest("hello")) {
		t.Errorf("org2 reads %q, %v: what the application wrote has to be there", got, err)
	}
}

// uninstalled deletes the consortium and then Hanse itself, and looks for what is left.
func uninstalled(t *testing.T, s *harness.Harness) {
	for _, kind := range []string{"contracts", "channels", "consortia"} {
		must2(t)(s.Kubectl(t.Context(), "host", "delete", kind, "--all", "--timeout=600s"))
	}
	for _, member := range s.Members {
		eventually(t, member+" has taken its nodes down", func() error {
			out, err := s.Kubectl(t.Context(), member, "-n", "hanse-trade", "get", "pods,statefulsets,deployments,services,configmaps", "-l", "app.kubernetes.io/managed-by=hanse", "-o", "name")
			if err != nil || strings.TrimSpace(out) != "" {
				return fmt.Errorf("left over: %s %w", strings.Fields(out), err)
			}
			return nil
		})
		if out := must2(t)(s.Kubectl(t.Context(), member, "-n", "hanse-trade", "get", "pvc", "-o", "name")); !strings.Contains(out, "data-peer0-"+member) {
			t.Errorf("%s: the volumes were to be kept, found %q", member, out)
		}
		must2(t)(s.Helm(t.Context(), member, "uninstall", "member-agent", "-n", "hanse-system", "--wait", "--timeout", "600s"))
		gone(t, s, member, "-n", "hanse-system", "get", "pods,deployments,services", "-l", "app.kubernetes.io/name=member-agent", "-o", "name")
		// The gateway stays, so that no line is cut, until it is taken away as docs/tasks/remove.md says.
		if ready := get(t, s, member, "{.status.readyReplicas}", "-n", "hanse-system", "deployment", "gateway"); ready != "2" {
			t.Errorf("%s: the agent has taken its gateways with it: %q replicas are ready", member, ready)
		}
		must2(t)(s.Kubectl(t.Context(), member, "-n", "hanse-system", "delete", "deployments,poddisruptionbudgets,services,serviceaccounts,roles,rolebindings,networkpolicies", "-l", "app.kubernetes.io/name=gateway"))
		gone(t, s, member, "-n", "hanse-system", "get", "pods,deployments,services", "-o", "name")
	}
	must2(t)(s.Kubectl(t.Context(), "host", "delete", "lines,members", "--all", "--timeout=600s"))
	must2(t)(s.Helm(t.Context(), "host", "uninstall", "federation", "-n", "hanse-system", "--wait", "--timeout", "600s"))
	gone(t, s, "host", "-n", "hanse-system", "get", "pods,deployments,services", "-o", "name")
	gone(t, s, "host", "get", "namespaces", "-l", "app.kubernetes.io/managed-by=hanse", "-o", "name")
}

// gone waits until a kubectl get finds nothing: what is deleted takes a moment to end.
func gone(t *testing.T, s *harness.Harness, cluster string, args ...string) {
	t.Helper()
	eventually(t, cluster+" has nothing left", func() error {
		out, err := s.Kubectl(t.Context(), cluster, args...)
		if err != nil || strings.TrimSpace(out) != "" {
			return fmt.Errorf("%v: %s %w", args, strings.Fields(out), err)
		}
		return nil
	})
}
