//go:build e2e

// Package e2e walks the whole path on a testbed of real clusters, and then breaks one thing after another while
// transactions go on. It stands on the harness and knows of Hanse what a user sees.
package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hanse-io/hanse/hack/harness"
)

// TestConsortium runs its steps in order on one testbed; each leaves the consortium whole for the next. HANSE_E2E_NAME is
// the testbed's name, for two clones on one machine.
func TestConsortium(t *testing.T) {
	s, err := harness.New(cmp.Or(os.Getenv("HANSE_E2E_NAME"), "e2e"), 3, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("HANSE_E2E_KEEP") == "" {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
			defer cancel()
			if err := s.Down(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	if err := s.UsePrevious(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Up(t.Context(), "samples/trade.yaml"); err != nil {
		t.Fatal(err)
	}
	if err := s.Notarize(t.Context(), "first", "org1", "org2", "org3"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		run  func(*testing.T, *harness.Harness)
	}{
		{"upgraded from the version before", upgraded},
		{"keys stay home", keysStayHome},
		{"monitoring", dashboardsShowData},
		{"an agent restarted in the middle of its work", agentRestarted},
		{"a peer added", peerAdded},
		{"the host away", hostAway},
		{"a line cut, without and with a second one", lineCut},
		{"a gateway replaced", gatewayReplaced},
		{"a gateway flooded from one line", gatewayFlooded},
		{"a line moved into an organization's own cluster", insideProbed},
		{"the host in wrong hands", capturedHost},
		{"a member in wrong hands", capturedMember},
		{"a certificate renewed", certificateRenewed},
		{"a cluster killed", clusterKilled},
		{"bad input", badInput},
		{"an image that an organization does not allow", imageRefused},
		{"a node image that does not come up", badNodeImage},
		{"a good node image", goodNodeImage},
		{"settings changed on running nodes", settingsChanged},
		{"contracts approved by hand", approvedByHand},
		{"a outsider's pod", outsidersPod},
		{"volumes kept by the organization", volumesKept},
		{"clients that are not ours", outsidersClients},
		{"the documents' commands", documentsCommands},
		{"the page for applications", applicationsPage},
		{"what check and gather say", diagnosed},
		{"uninstalled", uninstalled},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(t, s) }) {
			t.Fatalf("%s failed; the steps after it are not tried", step.name)
		}
	}
}

// get reads a JSONPath of an object.
func get(t *testing.T, s *harness.Harness, cluster, path string, args ...string) string {
	t.Helper()
	return must2(t)(tryGet(t, s, cluster, path, args...))
}

// tryGet is get for what is polled, where a failure is no more than another reason to tryGet again.
func tryGet(t *testing.T, s *harness.Harness, cluster, path string, args ...string) (string, error) {
	return s.Kubectl(t.Context(), cluster, append(append([]string{"get"}, args...), "-o", "jsonpath="+path)...)
}

// expects polls a JSONPath of an object until it is as wanted.
func expects(t *testing.T, s *harness.Harness, cluster, want, path string, args ...string) func() error {
	return func() error {
		got, err := tryGet(t, s, cluster, path, args...)
		if err == nil && got != want {
			err = fmt.Errorf("%v: %s is %q, not %q", args, path, got, want)
		}
		return err
	}
}

func isReady(t *testing.T, s *harness.Harness, args ...string) func() error {
	return func() error {
		got, err := tryGet(t, s, "host", `{.metadata.generation} {.status.observedGeneration} {.status.conditions[?(@.type=="Ready")].status}`, args...)
		if err != nil {
			return err
		}
		if fields := strings.Fields(got); len(fields) != 3 || fields[0] != fields[1] || fields[2] != "True" {
			return fmt.Errorf("%v: generation, observed, ready: %s", args, got)
		}
		return nil
	}
}

func keysStayHome(t *testing.T, s *harness.Harness) {
	everything := must2(t)(s.Kubectl(t.Context(), "host", "get", "members,lines,consortia,channels,contracts,memberplans,configmaps,secrets,events", "-A", "-o", "yaml"))
	if !strings.Contains(everything, "kind: MemberPlan") || !strings.Contains(everything, "kind: Secret") {
		t.Fatal("the search has not seen the host's plans and secrets, and so proves nothing")
	}
	for _, secret := range []string{"PRIVATE KEY", "LS0tLS1CRUdJTiBQUklWQVRF", "LS0tLS1CRUdJTiBFQyBQUklW"} {
		if strings.Contains(everything, secret) {
			t.Errorf("the host holds a private key: found %q", secret)
		}
	}
}

// must2 fails the test if a program failed, and passes on what it printed.
func must2(t *testing.T) func(string, error) string {
	return func(out string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

const secondChannel = `
apiVersion: federation.hanse.io/v1alpha1
kind: Channel
metadata: {name: freight, namespace: default}
spec: {consortium: trade, members: [org1, org2]}
---
apiVersion: federation.hanse.io/v1alpha1
kind: Contract
metadata: {name: asset, namespace: default}
spec: {channel: freight, template: asset}
`

func agentRestarted(t *testing.T, s *harness.Harness) {
	load := start(t, s, "org1", "restart")
	if err := s.Apply(t.Context(), "host", secondChannel); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		must2(t)(s.Kubectl(t.Context(), "org2", "-n", "hanse-system", "delete", "pod", "-l", "app.kubernetes.io/name=member-agent", "--grace-period=0", "--force"))
		load.goesOn(t, 1)
	}
	eventually(t, "the second channel", isReady(t, s, "channel", "freight"))
	eventually(t, "its contract", isReady(t, s, "contract", "asset"))
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d transactions of org1 failed while org2's agent was restarted, last: %v", failed, load.lastError.Load())
	}
}

func peerAdded(t *testing.T, s *harness.Harness) {
	load := start(t, s, "org1", "peer")
	patch := `[{"op":"add","path":"/spec/members/2/peers","value":2}]`
	must2(t)(s.Kubectl(t.Context(), "host", "patch", "consortium", "trade", "--type=json", "-p", patch))
	eventually(t, "the new peer in the channel", expects(t, s, "host", "4/4", `{.status.nodes[?(@.role=="Peer")].joined}`, "channel", "settlement"))
	load.goesOn(t, 1)
	eventually(t, "the consortium", isReady(t, s, "consortium", "trade"))
}

func hostAway(t *testing.T, s *harness.Harness) {
	must2(t)(s.Testbed(t.Context(), "kill", "host"))
	load := start(t, s, "org2", "hostaway")
	load.goesOn(t, 2)
	must2(t)(s.Kubectl(t.Context(), "org2", "-n", "hanse-system", "delete", "pod", "-l", "app.kubernetes.io/name=member-agent", "--grace-period=0", "--force"))
	must2(t)(s.Kubectl(t.Context(), "org2", "-n", "hanse-trade", "delete", "statefulset,service", "peer0-org2"))
	eventually(t, "org2's agent heals its peer from the mirror", expects(t, s, "org2", "1", "{.status.readyReplicas}", "-n", "hanse-trade", "statefulset", "peer0-org2"))
	load.goesOn(t, 2)
	must2(t)(s.Testbed(t.Context(), "start", "host"))
	eventually(t, "the host hears of everybody again", isReady(t, s, "consortium", "trade"))
}

func clusterKilled(t *testing.T, s *harness.Harness) {
	must2(t)(s.Testbed(t.Context(), "kill", "org3"))
	load := start(t, s, "org1", "killed")
	load.goesOn(t, 3)
	eventually(t, "org3 is Unknown, not gone", expects(t, s, "host", "Unknown", `{.status.conditions[?(@.type=="Online")].status}`, "member", "org3"))
	must2(t)(s.Testbed(t.Context(), "start", "org3"))
	load.end()
	id := fmt.Sprint(load.lastID.Load())
	got, err := s.Read(t.Context(), "org3", id, testTimeout)
	if err != nil || !strings.Contains(got, harness.Digest(id)) {
		t.Fatalf("org3 has not caught up: %q, %v", got, err)
	}
	eventually(t, "the consortium is whole", isReady(t, s, "consortium", "trade"))
}

func lineCut(t *testing.T, s *harness.Harness) {
	load := start(t, s, "org1", "cut")
	down := func(line string) func() error {
		return expects(t, s, "host", "False", `{.status.conditions[?(@.type=="Ready")].status}`, "line", line)
	}
	must2(t)(s.Testbed(t.Context(), "line", "cut", "org1", "org2"))
	eventually(t, "the line shows as down", down("org1-org2"))
	load.goesOn(t, 2)
	must2(t)(s.Testbed(t.Context(), "line", "restore", "org1", "org2"))
	eventually(t, "the line is up again", isReady(t, s, "line", "org1-org2"))

	must2(t)(s.Testbed(t.Context(), "line", "add", "org1", "org2"))
	if err := s.DeclareLines(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second line is up", isReady(t, s, "line", "org1-org2-2"))
	must2(t)(s.Testbed(t.Context(), "line", "cut", "org1", "org2"))
	eventually(t, "the first line shows as down", down("org1-org2"))
	eventually(t, "traffic takes the second line", expects(t, s, "host", "true", `{.status.ends[?(@.from=="org1")].active}`, "line", "org1-org2-2"))
	load.goesOn(t, 2)
	must2(t)(s.Testbed(t.Context(), "line", "restore", "org1", "org2"))
	eventually(t, "both lines are up", isReady(t, s, "line", "org1-org2"))
}

// certificateRenewed has cert-manager renew an orderer's TLS certificate: the key has to stay, because the channel knows
// the orderer by it, and the node has to take the certificate up while transactions go on.
func certificateRenewed(t *testing.T, s *harness.Harness) {
	secret := []string{"-n", "hanse-trade", "secret", "orderer0-org2-tls"}
	key, certificate := get(t, s, "org2", `{.data.tls\.key}`, secret...), get(t, s, "org2", `{.data.tls\.crt}`, secret...)
	pod := []string{"-n", "hanse-trade", "pod", "orderer0-org2-0"}
	before := get(t, s, "org2", "{.metadata.uid}", pod...)
	load := start(t, s, "org1", "renewed")
	now := time.Now().UTC().Format(time.RFC3339)
	patch := fmt.Sprintf(`[{"op":"add","path":"/status/conditions/-","value":{"type":"Issuing","status":"True","reason":"ManuallyTriggered","message":"renewed by hand","lastTransitionTime":%q}}]`, now)
	must2(t)(s.Kubectl(t.Context(), "org2", "-n", "hanse-trade", "patch", "certificate", "orderer0-org2-tls", "--subresource=status", "--type=json", "-p", patch))
	eventually(t, "a new certificate", func() error {
		now, err := tryGet(t, s, "org2", `{.data.tls\.crt}`, secret...)
		if err == nil && now == certificate {
			err = errors.New("it is the old one")
		}
		return err
	})
	if get(t, s, "org2", `{.data.tls\.key}`, secret...) != key {
		t.Error("the key has changed: the channel does not know this orderer any more")
	}
	eventually(t, "the orderer restarts with it", func() error {
		now, err := tryGet(t, s, "org2", `{.metadata.uid} {.status.conditions[?(@.type=="Ready")].status}`, pod...)
		if fields := strings.Fields(now); err == nil && (len(fields) != 2 || fields[0] == before || fields[1] != "True") {
			err = fmt.Errorf("pod: %v", fields)
		}
		return err
	})
	load.goesOn(t, 2)
	eventually(t, "the consortium", isReady(t, s, "consortium", "trade"))
}
