//go:build integration

package profile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
	fabricprofile "github.com/hanse-io/hanse/ledger/fabric/profile"
)

const written = `{"name":"trade","client":{"organization":"org1"},"organizations":{"org1":{"mspid":"FirstMSP"}},"peers":{"peer0-org1.hanse-trade":{"url":"grpcs://peer0-org1.hanse-trade:7051"}}}`

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestProfile runs the command on a cluster in which an agent has written profiles, as somebody with a kubeconfig does.
func TestProfile(t *testing.T) {
	env, _, c, err := testcluster.StartWithCRDs("../../charts/member-agent/crds", v1alpha1.AddToScheme, corev1.AddToScheme)
	must(t, err)
	t.Cleanup(func() { _ = env.Stop() })
	for _, profile := range []struct{ consortium, text, missing string }{
		{"trade", written, ""}, {"fish", written, "org2,org3"}, {"broken", "{", ""},
	} {
		namespace := v1alpha1.ConsortiumNamespace(profile.consortium)
		cm := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: v1alpha1.ConnectionConfigMap},
			Data:       map[string]string{v1alpha1.ConnectionProfile: profile.text},
		}
		if profile.missing != "" {
			cm.Annotations = map[string]string{v1alpha1.AnnotationConnectionMissing: profile.missing}
		}
		for _, object := range []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, cm} {
			must(t, c.Create(t.Context(), object))
		}
	}
	admin, outsider := kubeconfig(t, env, "admin", "system:masters"), kubeconfig(t, env, "outsider")
	for _, row := range []struct {
		why, as string
		args    []string
		json    bool
		warns   string
		refused string
	}{
		{why: "YAML, which people read", as: admin, args: []string{"trade"}},
		{why: "JSON, as it is written", as: admin, args: []string{"trade", "-o", "json"}, json: true},
		{why: "members that are not in it yet are told apart from what is printed", as: admin, args: []string{"fish"}, warns: "# not in it yet: org2, org3. `kubectl hanse status fish`"},
		{why: "another format", as: admin, args: []string{"trade", "--output", "toml"}, refused: `--output "toml" is no format of this command: give one of json, yaml`},
		{why: "no consortium", as: admin, refused: "accepts 1 arg"},
		{why: "a consortium that is not here", as: admin, args: []string{"nowhere"}, refused: "nowhere"},
		{why: "a profile that somebody has spoiled", as: admin, args: []string{"broken"}, refused: "delete it, and the agent writes it anew"},
		{why: "somebody without the right to read it", as: outsider, args: []string{"trade"}, refused: "read ConfigMap"},
		{why: "no cluster at all", as: filepath.Join(t.TempDir(), "none"), args: []string{"trade"}, refused: "--kubeconfig"},
	} {
		t.Run(row.why, func(t *testing.T) {
			flags := kube.Flags()
			flags.KubeConfig = &row.as
			cmd := Command(flags, fabricprofile.Tools{})
			var out, warned bytes.Buffer
			cmd.SetOut(&out)
			cmd.SetErr(&warned)
			cmd.SetArgs(row.args)
			cmd.SilenceUsage, cmd.SilenceErrors = true, true
			err := cmd.ExecuteContext(t.Context())
			if row.refused != "" {
				if err == nil || !strings.Contains(err.Error(), row.refused) || out.Len() > 0 {
					t.Errorf("got %v and %q, want an error with %q and nothing else", err, out.String(), row.refused)
				}
				return
			}
			must(t, err)
			if (warned.Len() > 0) != (row.warns != "") || !strings.Contains(warned.String(), row.warns) {
				t.Errorf("warns %q, want %q", warned.String(), row.warns)
			}
			if row.json {
				if out.String() != written {
					t.Errorf("JSON is not what the agent has written: %s", out.String())
				}
				return
			}
			if json.Valid(out.Bytes()) {
				t.Errorf("this is JSON: %s", out.String())
			}
			back, err := yaml.YAMLToJSON(out.Bytes())
			must(t, err)
			var got, want any
			must(t, json.Unmarshal(back, &got))
			must(t, json.Unmarshal([]byte(written), &want))
			if a, b := toJSON(t, got), toJSON(t, want); a != b {
				t.Errorf("the YAML says %s, want %s", a, b)
			}
		})
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return string(text)
}

func kubeconfig(t *testing.T, env *envtest.Environment, name string, groups ...string) string {
	t.Helper()
	user, err := env.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	must(t, err)
	text, err := user.KubeConfig()
	must(t, err)
	file := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(file, text, 0o600))
	return file
}
