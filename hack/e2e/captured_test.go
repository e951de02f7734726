//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// capturedHost is what somebody does who has every right on the host: the federation controller is put out of the way,
// and plans are written by hand. Each case looks for what its victims show, and for what has not happened.
func capturedHost(t *testing.T, s *harness.Harness) {
	scale := func(replicas string) {
		must2(t)(s.Kubectl(t.Context(), "host", "-n", "hanse-system", "scale", "deployment", "federation", "--replicas="+replicas))
		must2(t)(s.Kubectl(t.Context(), "host", "-n", "hanse-system", "rollout", "status", "deployment", "federation", "--timeout=10m"))
	}
	scale("0")
	load := start(t, s, "org2", "captured")
	t.Run("other rules for a channel", func(t *testing.T) { otherRules(t, s) })
	t.Run("another first block", func(t *testing.T) { otherFirstBlock(t, s) })
	t.Run("plans without end", func(t *testing.T) { plansWithoutEnd(t, s) })
	load.goesOn(t, 1)
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d transactions failed, last: %v", failed, load.lastError.Load())
	}
	scale("1")
	eventually(t, "all is well once the host is its owners' again", isReady(t, s, "consortium", "trade"))
}

// otherRules tells org1 that a channel which it is in has other members and another rule: a definition that org3 alone
// satisfies would follow from that.
func otherRules(t *testing.T, s *harness.Harness) {
	undo := tamper(t, s, "org1", func(channel map[string]any) {
		channel["members"] = []string{"org1", "org3"}
		channel["endorsement"] = map[string]any{"rule": "Any"}
	})
	eventually(t, "org1 says that the plan differs from the channel's first block", channelReason(t, s, "org1", "ChannelDiffers"))
	eventually(t, "there is an event", hasEvent(t, s, "org1", "ChannelDiffers"))
	undo()
	eventually(t, "the channel is well again", channelReason(t, s, "org1", ""))
}

// otherFirstBlock tells org3 of another first block than the one that it has pinned.
func otherFirstBlock(t *testing.T, s *harness.Harness) {
	undo := tamper(t, s, "org3", func(channel map[string]any) {
		channel["genesisHash"] = strings.Repeat("0", 64)
	})
	eventually(t, "org3 goes on with the block that it has pinned, and says so", func() error {
		got, err := tryGet(t, s, "org3", `{.status.channels[?(@.name=="settlement")].reason}`, "-n", "hanse-system", "memberplan", "trade")
		if err == nil && !strings.HasPrefix(got, "Genesis") {
			err = fmt.Errorf("the channel's reason is %q", got)
		}
		return err
	})
	undo()
	eventually(t, "the channel is well again", channelReason(t, s, "org3", ""))
}

// plansWithoutEnd puts many large plans of others into org1's namespace on the host.
func plansWithoutEnd(t *testing.T, s *harness.Harness) {
	before := get(t, s, "org1", "{.items[*].metadata.name}", "-n", "hanse-system", "memberplans")
	namespaces := get(t, s, "org1", "{.items[*].metadata.name}", "namespaces")
	const many = 30
	plans := strings.Builder{}
	for i := range many {
		fmt.Fprintf(&plans, `---
apiVersion: federation.hanse.io/v1alpha1
kind: MemberPlan
metadata: {name: flood%[1]d, namespace: hanse-member-org1, annotations: {filler: %[2]s}}
spec:
  member: org2
  consortium: flood%[1]d
  consortiumNamespace: default
  namespace: hanse-flood%[1]d
  ledger: {type: Fabric}
  members: [{name: org2, role: Leader}]
`, i, strings.Repeat("x", 200<<10))
	}
	file := filepath.Join(t.TempDir(), "plans.yaml")
	if err := os.WriteFile(file, []byte(plans.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	must2(t)(s.Kubectl(t.Context(), "host", "create", "-f", file))
	eventually(t, "org1's agent says that it refuses plans", hasEvent(t, s, "org1", "WrongMember"))
	if now := get(t, s, "org1", "{.items[*].metadata.name}", "-n", "hanse-system", "memberplans"); now != before {
		t.Errorf("plans of others were mirrored: %s", now)
	}
	if now := get(t, s, "org1", "{.items[*].metadata.name}", "namespaces"); now != namespaces {
		t.Errorf("plans of others made namespaces: %s", now)
	}
	must2(t)(s.Kubectl(t.Context(), "host", "delete", "--wait=false", "-f", file))
}

// tamper changes channel settlement in a member's plan on the host, and returns what brings it back.
func tamper(t *testing.T, s *harness.Harness, member string, change func(channel map[string]any)) (undo func()) {
	t.Helper()
	plan := []string{"-n", "hanse-member-" + member, "memberplan", "trade"}
	write := func(channels string) {
		must2(t)(s.Kubectl(t.Context(), "host", append([]string{"patch", "--type=merge", "-p", `{"spec":{"channels":` + channels + `}}`}, plan...)...))
	}
	before := get(t, s, "host", "{.spec.channels}", plan...)
	var channels []map[string]any
	if err := json.Unmarshal([]byte(before), &channels); err != nil {
		t.Fatal(err)
	}
	for _, channel := range channels {
		if channel["name"] == "settlement" {
			change(channel)
		}
	}
	after, err := json.Marshal(channels)
	if err != nil {
		t.Fatal(err)
	}
	write(string(after))
	return func() { write(before) }
}

func channelReason(t *testing.T, s *harness.Harness, member, want string) func() error {
	return expects(t, s, member, want, `{.status.channels[?(@.name=="settlement")].reason}`, "-n", "hanse-system", "memberplan", "trade")
}

func hasEvent(t *testing.T, s *harness.Harness, cluster, reason string) func() error {
	return func() error {
		got, err := tryGet(t, s, cluster, "{.items[*].message}", "-n", "hanse-system", "events", "--field-selector", "reason="+reason)
		if err == nil && got == "" {
			err = errors.New("there is no event " + reason)
		}
		return err
	}
}

// capturedMember uses org2's own credential on the host for what is not org2's.
func capturedMember(t *testing.T, s *harness.Harness) {
	folder := t.TempDir()
	for key, file := range map[string]string{`{.data.tls\.crt}`: "tls.crt", `{.data.tls\.key}`: "tls.key"} {
		encoded := get(t, s, "org2", key, "-n", "hanse-system", "secret", "hanse-host-credential")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	as := func(args ...string) (string, error) {
		return s.Kubectl(t.Context(), "host", append([]string{"--client-certificate=" + folder + "/tls.crt", "--client-key=" + folder + "/tls.key"}, args...)...)
	}
	if _, err := as("-n", "hanse-member-org2", "get", "memberplan", "trade"); err != nil {
		t.Fatalf("the credential does not open its own plan, so that what follows proves nothing: %v", err)
	}
	lease := func(name, filler string) string {
		file := filepath.Join(folder, "lease-"+name+".yaml")
		text := fmt.Sprintf("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: %s, namespace: hanse-member-org2, annotations: {filler: %q}}\n", name, filler)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, row := range []struct {
		why  string
		args []string
	}{
		{"another member's plan", []string{"-n", "hanse-member-org1", "get", "memberplan", "trade"}},
		{"another member's namespace", []string{"-n", "hanse-member-org1", "get", "secrets"}},
		{"all requests for certificates", []string{"get", "certificatesigningrequests"}},
		{"a second Lease", []string{"create", "-f", lease("second", "")}},
		{"a Lease of 200 KB", []string{"-n", "hanse-member-org2", "annotate", "lease", "member-agent", "filler=" + strings.Repeat("x", 100<<10)}},
		{"its own plan changed", []string{"-n", "hanse-member-org2", "patch", "memberplan", "trade", "--type=merge", "-p", `{"spec":{"retire":true}}`}},
		{"a consortium", []string{"get", "consortia", "-A"}},
	} {
		if out, err := as(row.args...); err == nil {
			t.Errorf("org2's credential opens %s: %s", row.why, out)
		}
	}
}
