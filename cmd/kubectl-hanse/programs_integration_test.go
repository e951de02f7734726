//go:build integration

package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/version"
	"github.com/hanse-io/hanse/kubectl-hanse/exitcode"
)

// TestMain is the plugin itself where kubectl calls this program by the plugin's names.
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); name == "kubectl-hanse" || name == completer {
		main()
	}
	os.Exit(m.Run())
}

// kubectl runs the real one, which finds the plugin on its PATH.
func (p person) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plugins := t.TempDir()
	for _, name := range []string{"kubectl-hanse", completer} {
		if err := os.Symlink(self, filepath.Join(plugins, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig, "PATH="+plugins+":"+os.Getenv("PATH"))
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s%s", args, err, out, errOut.String())
	}
	return string(out)
}

// completed is what a person has typed when they press the tabulator, and which of the answers there have to be and which not.
type completed struct {
	why     string
	typed   []string
	want    []string
	without []string
}

func (p person) completes(t *testing.T, rows []completed) {
	t.Helper()
	for _, row := range rows {
		lines := strings.Split(strings.TrimSpace(p.kubectl(t, append([]string{"__complete", "hanse"}, row.typed...)...)), "\n")
		last := lines[len(lines)-1]
		if !strings.HasPrefix(last, ":") {
			t.Errorf("%s: %q ends without a directive: %q", row.why, row.typed, lines)
		}
		if row.want == nil && row.without == nil && len(lines) > 1 {
			t.Errorf("%s: %q completes to %q, want nothing", row.why, row.typed, lines)
		}
		for _, want := range row.want {
			if !slices.ContainsFunc(lines, func(line string) bool { return line == want || strings.HasPrefix(line, want+"\t") }) {
				t.Errorf("%s: %q completes to %q, want %q too", row.why, row.typed, lines, want)
			}
		}
		for _, without := range row.without {
			if slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, without) }) {
				t.Errorf("%s: %q completes to %q, want no %q", row.why, row.typed, lines, without)
			}
		}
	}
}

// document runs the plugin and reads the JSON that it prints, and nothing but JSON.
func (p person) document(t *testing.T, into any, args ...string) (stderr string, err error) {
	t.Helper()
	out, stderr, err := p.says(args...)
	decoder := json.NewDecoder(strings.NewReader(out))
	if e := decoder.Decode(into); e != nil || decoder.More() {
		t.Fatalf("%v prints no one JSON document (%v, %v):\n%s", args, e, err, out)
	}
	return stderr, err
}

// printsOwn has everything that is printed in an organization's own cluster printed for programs.
func printsOwn(t *testing.T, p person) {
	t.Helper()
	if out, warned, err := p.says("profile", "trade", "-o", "jsonpath={.client.organization}"); err != nil || out != "org1" || !strings.Contains(warned, "org2") {
		t.Errorf("profile: %v, %q, %q", err, out, warned)
	}
	folder := filepath.Join(t.TempDir(), "application")
	var environment struct {
		Kind, Member, Folder string
		Files                []string
		Variables            map[string]string
	}
	if _, err := p.document(t, &environment, "env", "trade", "--identity", "user", "--out", folder, "-o", "json"); err != nil {
		t.Fatal(err)
	}
	if environment.Kind != "Environment" || environment.Member != "org1" || environment.Folder != folder || environment.Variables["CORE_PEER_LOCALMSPID"] != "FirstMSP" {
		t.Errorf("env: %+v", environment)
	}
	for _, file := range environment.Files {
		if _, err := os.Stat(filepath.Join(folder, file)); err != nil {
			t.Errorf("env names a file that is not there: %v", err)
		}
	}
	var status struct {
		Kind, Name, Member, State string
		WaitsFor                  []struct{ Kind, Member, State string }
	}
	if _, err := p.document(t, &status, "status", "trade", "-o", "json"); err != nil {
		t.Fatal(err)
	}
	if status.Kind != "OrganizationStatus" || status.Name != "trade" || status.Member != "org1" || status.State != "Unknown" || len(status.WaitsFor) != 1 {
		t.Errorf("status: %+v", status)
	}
	out, unknown, err := p.says("version", "-o", "wide")
	if err != nil || !strings.Contains(out, "plugin") || !strings.Contains(unknown, "the version of member-agent: namespace hanse-system has no pod of it") {
		t.Errorf("version: %v\n%s%s", err, out, unknown)
	}
}

// completesOwn completes names in an organization's own cluster, as kubectl does.
func completesOwn(t *testing.T, p person, c client.Client) {
	t.Helper()
	plan := &v1alpha1.MemberPlan{ObjectMeta: named("hanse-system", "trade")}
	patch := `{"status":{"channels":[{"name":"settlement"},{"name":"deals"}],"contracts":[{"name":"notary","channel":"settlement"},{"name":"other","channel":"deals"}]}}`
	if err := c.Status().Patch(context.Background(), plan, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatal(err)
	}
	p.completes(t, []completed{
		{"consortia that the organization takes part in", []string{"profile", ""}, []string{"trade"}, nil},
		{"the same where a folder follows", []string{"env", "--out", "x", "tr"}, []string{"trade"}, nil},
		{"the same in a flag", []string{"invoke", "--consortium", ""}, []string{"trade"}, nil},
		{"channels", []string{"invoke", "--consortium", "trade", "--channel", ""}, []string{"settlement", "deals"}, nil},
		{"contracts of that channel alone", []string{"invoke", "--consortium", "trade", "--channel", "settlement", "--contract", ""}, []string{"notary"}, []string{"other"}},
		{"no channels without a consortium", []string{"invoke", "--channel", ""}, nil, nil},
		{"namespaces", []string{"status", "--agent-namespace", "hanse-s"}, []string{"hanse-system"}, []string{"default"}},
		{"members are the host's", []string{"invite", ""}, nil, nil},
	})
}

// TestForPrograms has scripts and shells use the plugin on a host: documents, codes, versions, completion.
func TestForPrograms(t *testing.T) {
	h := newHost(t)
	admin := newPerson(t, h.env, "admin", "system:masters")
	outsider := newPerson(t, h.env, "outsider")
	keepsFlags(t, h, admin, outsider)
	printsHost(t, h, admin)
	tellsVersions(t, h, admin, outsider)
	completesHost(t, h, admin, outsider)
}

func printsHost(t *testing.T, h *host, p person) {
	t.Helper()
	var status struct {
		APIVersion, Kind, Name, Namespace, State string
		Ready                                    bool
		Members                                  []struct{ Name, State string }
		Lines, Channels                          []struct{ Name string }
		WaitsFor                                 []struct{ Kind, Name, Member, State, Message string }
	}
	if warned, err := p.document(t, &status, "status", "trade", "-o", "json"); err != nil || warned != "" {
		t.Fatal(err, warned)
	}
	if status.APIVersion != "plugin.hanse.io/v1alpha1" || status.Kind != "ConsortiumStatus" || status.Name != "trade" || status.Namespace != "default" || status.Ready ||
		len(status.Members) != 3 || len(status.Lines) != 1 || len(status.Channels) != 1 {
		t.Errorf("%+v", status)
	}
	if !slices.ContainsFunc(status.WaitsFor, func(w struct{ Kind, Name, Member, State, Message string }) bool {
		return w.Kind == "Member" && w.Name == "org3" && strings.Contains(w.Message, "kubectl hanse invite org3")
	}) {
		t.Errorf("nobody waits for org3, which is not invited: %+v", status.WaitsFor)
	}
	progress, err := p.document(t, &status, "status", "trade", "--wait", "--timeout", "2s", "-o", "json")
	if exitcode.Of(err) != exitcode.NotReady || !strings.Contains(progress, "trade") || status.Ready {
		t.Errorf("a wait in vain: code %d, %v, progress %q", exitcode.Of(err), err, progress)
	}
	h.ready(t)
	if progress, err = p.document(t, &status, "status", "trade", "--wait", "-o", "json"); err != nil || !status.Ready || !strings.Contains(progress, "it is ready") {
		t.Errorf("a wait that ends: %v, %+v, progress %q", err, status, progress)
	}
	if out, _, err := p.says("status", "trade", "-o", "jsonpath={.state}"); err != nil || out != "Ready" {
		t.Errorf("a template: %v, %q", err, out)
	}
}

// tellsVersions: what the statuses say is enough for somebody who may read Members and nothing else.
func tellsVersions(t *testing.T, h *host, admin, outsider person) {
	t.Helper()
	_, unknown, err := admin.says("version")
	if err != nil || !strings.Contains(unknown, "the version of federation: namespace hanse-system has no pod of it") {
		t.Errorf("a host whose controller has not said: %v, %q", err, unknown)
	}
	if _, _, err := outsider.says("version"); err == nil || !strings.Contains(err.Error(), "ask whoever runs this cluster") {
		t.Errorf("somebody without rights: %v", err)
	}
	for _, row := range []struct {
		why, agent string
		code       int
		warns      string
	}{
		{"one minor version apart", "0.2.0", exitcode.OK, ""},
		{"two minor versions apart", "0.3.0", exitcode.Skew, "warning: the agent of org1 is 0.3.0 and the host's controller is 0.1.0"},
	} {
		h.patch(t, &v1alpha1.Member{ObjectMeta: named("", "org1")}, `{"status":{"federationVersion":"0.1.0","agent":{"version":"`+row.agent+`","kubernetesVersion":"v1.36.1"}}}`)
		var versions struct {
			Kind               string
			Client, Federation struct{ Version string }
			Agents             []struct {
				Member, Version, Kubernetes string
				Online                      bool
			}
			Skew []string
		}
		warned, err := admin.document(t, &versions, "version", "-o", "json")
		if exitcode.Of(err) != row.code || !strings.Contains(warned, row.warns) || (len(versions.Skew) > 0) != (row.warns != "") {
			t.Errorf("%s: code %d, %v, %q, %+v", row.why, exitcode.Of(err), err, warned, versions)
		}
		if a := versions.Agents[0]; versions.Kind != "Versions" || versions.Client.Version != version.Current || versions.Federation.Version != "0.1.0" ||
			a.Member != "org1" || a.Version != row.agent || a.Kubernetes != "v1.36.1" || !a.Online {
			t.Errorf("%s: %+v", row.why, versions)
		}
	}
	table := admin.kubectl(t, "get", "members", "org1", "-o", "wide")
	for _, want := range []string{"AGENT", "0.3.0", "KUBERNETES", "v1.36.1", "FEDERATION", "0.1.0"} {
		if !strings.Contains(table, want) {
			t.Errorf("kubectl get members -o wide lacks %s:\n%s", want, table)
		}
	}
}

func completesHost(t *testing.T, h *host, admin, outsider person) {
	t.Helper()
	create(t, h.objects, &corev1.Namespace{ObjectMeta: named("", "team-a")})
	h.patch(t, &v1alpha1.Member{ObjectMeta: named("", "org2")}, `{"status":{"registration":{"invitation":"x","time":"2026-01-01T00:00:00Z"}}}`)
	admin.completes(t, []completed{
		{"the commands", []string{""}, []string{"status", "profile", "env", "invoke", "invite", "version"}, []string{"completion"}},
		{"a command that is begun", []string{"sta"}, []string{"status"}, []string{"profile"}},
		{"the consortia of the namespace", []string{"status", ""}, []string{"trade"}, nil},
		{"those of another one, which has none", []string{"status", "-n", "team-a", ""}, nil, nil},
		{"one consortium is all that it takes", []string{"status", "trade", ""}, nil, nil},
		{"its flags", []string{"status", "--wa"}, []string{"--wait", "--watch"}, nil},
		{"kubectl's flags", []string{"status", "--conte"}, []string{"--context"}, nil},
		{"the formats", []string{"status", "trade", "-o", ""}, []string{"json", "yaml", "wide"}, nil},
		{"the identities", []string{"env", "trade", "--identity", ""}, []string{"admin", "user"}, nil},
		{"namespaces", []string{"status", "--namespace", "te"}, []string{"team-a"}, []string{"default"}},
		{"contexts of the kubeconfig", []string{"status", "--context", ""}, []string{"envtest"}, nil},
		{"members that have no agent", []string{"invite", ""}, []string{"org1"}, []string{"org2"}},
		{"any to be replaced", []string{"invite", "--replace", ""}, []string{"org1", "org2"}, nil},
		{"an organization's own commands have nothing here", []string{"profile", ""}, nil, nil},
	})
	outsider.completes(t, []completed{{"somebody without rights is not told of them now", []string{"status", ""}, nil, nil}})
	start := time.Now()
	admin.completes(t, []completed{{"a cluster that is away", []string{"status", "--server", "https://127.0.0.1:1", ""}, nil, nil}})
	if took := time.Since(start); took > time.Minute {
		t.Errorf("a cluster that is away holds a shell up for %s", took)
	}
}
