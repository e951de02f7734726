package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
)

// TestWrongUsage: what no cluster could carry out says how the command is written, with the code for that. There is no
// cluster here, so whatever is not found out at once ends otherwise.
func TestWrongUsage(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct {
		why  string
		args []string
		says string
		code int
	}{
		{"no consortium", []string{"status"}, "kubectl hanse status CONSORTIUM", exitcode.Usage},
		{"two consortia", []string{"profile", "trade", "other"}, "kubectl hanse profile CONSORTIUM", exitcode.Usage},
		{"no member", []string{"invite"}, "kubectl hanse invite MEMBER", exitcode.Usage},
		{"no function", []string{"invoke"}, "kubectl hanse invoke FUNCTION", exitcode.Usage},
		{"no consortium, with the flag that is needed", []string{"env", "--out", "x"}, "kubectl hanse env CONSORTIUM --out FOLDER", exitcode.Usage},
		{"a flag that is needed", []string{"env", "trade"}, `required flag(s) "out" not set`, exitcode.Usage},
		{"flags that are needed", []string{"invoke", "Get"}, `required flag(s) "channel", "consortium", "contract" not set`, exitcode.Usage},
		{"flags that exclude each other", []string{"invoke", "--consortium", "a", "--channel", "b", "--contract", "c", "--query", "--endorsers", "Get"}, "endorsers query", exitcode.Usage},
		{"a flag that there is not", []string{"status", "trade", "--bogus"}, "unknown flag: --bogus; kubectl hanse status --help", exitcode.Usage},
		{"a value that is none", []string{"status", "trade", "--timeout", "soon"}, "invalid argument", exitcode.Usage},
		{"a command that there is not", []string{"statsu"}, `unknown command "statsu" for "kubectl hanse"; did you mean status?`, exitcode.Usage},
		{"a format that there is not", []string{"status", "trade", "-o", "xml"}, "give one of wide, json", exitcode.Usage},
		{"wide has no meaning for a file", []string{"profile", "trade", "-o", "wide"}, "no format of this command", exitcode.Usage},
		{"an identity that there is not", []string{"env", "trade", "--out", "x", "--identity", "root"}, "neither admin nor user", exitcode.Usage},
		{"a time that is too short", []string{"invite", "org1", "--ttl", "1m"}, "too short", exitcode.Usage},
		{"a server's certificate left unverified", []string{"status", "trade", "--insecure-skip-tls-verify"}, "unknown flag", exitcode.Usage},
		{"a role that there is not", []string{"check", "--pre", "--role", "guest"}, "neither host nor member", exitcode.Usage},
		{"no role without --pre", []string{"check", "--role", "host"}, "go with --pre", exitcode.Usage},
		{"no format of a report's", []string{"check", "-o", "xml"}, "give one of json", exitcode.Usage},
		{"logs of no time", []string{"gather", "--since", "0s"}, "give a second", exitcode.Usage},
		{"no digest", []string{"audit", "-", "--charter", "trade"}, "64 hexadecimal digits", exitcode.Usage},
		{"no cluster is no matter of usage", []string{"status", "trade"}, "--kubeconfig", exitcode.Failed},
		{"nor for the version, which is printed before", []string{"version"}, "--kubeconfig", exitcode.Failed},
		{"the client's version needs none", []string{"version", "--client"}, "", exitcode.OK},
		{"no command is a question", nil, "", exitcode.OK},
		{"so is help", []string{"status", "--help"}, "", exitcode.OK},
	} {
		t.Run(c.why, func(t *testing.T) {
			root := command()
			var out bytes.Buffer
			root.SetOut(&out)
			root.SetErr(&out)
			root.SetArgs(append([]string{"--kubeconfig", nowhere}, c.args...))
			err := root.ExecuteContext(t.Context())
			if got := exitcode.Of(err); got != c.code {
				t.Errorf("code %d, want %d: %v", got, c.code, err)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

// TestKubectlsFlags: every command takes the flags by which kubectl chooses a cluster and who asks.
func TestKubectlsFlags(t *testing.T) {
	for _, c := range command().Commands() {
		for _, flag := range []string{
			"as", "as-group", "as-uid", "cache-dir", "certificate-authority", "client-certificate", "client-key", "cluster", "context",
			"disable-compression", "kubeconfig", "namespace", "request-timeout", "server", "tls-server-name", "token", "user",
		} {
			if c.InheritedFlags().Lookup(flag) == nil {
				t.Errorf("kubectl hanse %s has no --%s", c.Name(), flag)
			}
		}
	}
}

func TestArguments(t *testing.T) {
	for _, row := range []struct {
		why        string
		line, want []string
	}{
		{"called by a person", []string{"/usr/bin/kubectl-hanse", "status", "trade"}, []string{"status", "trade"}},
		{"called by kubectl for completion", []string{"/usr/bin/kubectl_complete-hanse", "status", ""}, []string{"__complete", "status", ""}},
		{"on Windows too", []string{"kubectl_complete-hanse.exe", ""}, []string{"__complete", ""}},
	} {
		if got := arguments(row.line); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}
