//go:build integration

package gather

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/testcluster"
	"github.com/hanse-io/hanse/kubectl-hanse/gather/redact"
	"github.com/hanse-io/hanse/kubectl-hanse/kube"
)

const (
	jwt       = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJoYW5zZS1pbnZpdGUifQ.cGxhbnRlZC1zaWduYXR1cmUtb2YtYS10b2tlbg"
	phrase    = "planted words which nothing shows to be a secret"
	bootstrap = "a1b2c3.d4e5f6a7b8c9d0e1"
)

// plants are secrets of every kind, by where they are planted; what is searched for is the part that must not be seen.
func plants(key string) map[string]string {
	encoded := base64.StdEncoding.EncodeToString([]byte(key))
	return map[string]string{
		"a private key":                 strings.Split(key, "\n")[1],
		"a private key in base64":       encoded[60:120],
		"a token":                       "cGxhbnRlZC1zaWduYXR1cmU",
		"kubeadm's token":               bootstrap,
		"an environment":                "planted-in-env",
		"a contract's environment":      "planted-in-contract",
		"kubectl's annotation":          "planted-in-annotation",
		"a connection string":           "planted-in-url",
		"an event":                      "planted-in-event",
		"a flag":                        "planted-in-flag",
		"a Secret's value in a log":     phrase,
		"a Secret's value, encoded":     base64.StdEncoding.EncodeToString([]byte(phrase)),
		"a variable in a log":           "planted-in-log",
		"a block of YAML in ConfigMaps": "planted-in-block",
	}
}

// kubeletLogs stands for kubelets, which this API server has none of.
type kubeletLogs string

func (k kubeletLogs) Open(_ context.Context, _, _, _ string, previous bool, _ time.Duration, _ int64) (io.ReadCloser, error) {
	if previous {
		return io.NopCloser(strings.NewReader("the run before\n" + string(k))), nil
	}
	return io.NopCloser(strings.NewReader(string(k))), nil
}

// identity takes nothing out: with it the search has to find what is planted.
type identity struct{}

func (identity) Writer(out io.Writer) io.WriteCloser { return unchanged{out} }
func (identity) Object(value any) any                { return value }

type unchanged struct{ io.Writer }

func (unchanged) Close() error { return nil }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func plant(t *testing.T, c client.Client, key string) (log string) {
	t.Helper()
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "hanse-system", Name: name} }
	secret := func(name string, kind corev1.SecretType, data map[string]string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: meta(name), Type: kind, StringData: data}
	}
	pod := &corev1.Pod{ObjectMeta: meta("member-agent-0"), Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "agent", Image: "registry.example/agent", Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: "planted-in-env"}, {Name: "PLAIN", Value: "stays-in-env"}},
		Args: []string{"run", "--admin-secret", "planted-in-flag", "--plain=stays-in-flag"},
	}}}}
	pod.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": `{"spec":{"env":[{"name":"X_TOKEN","value":"planted-in-annotation"}]}}`}
	value := "planted-in-contract"
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hanse-system"}}, pod,
		&corev1.ConfigMap{ObjectMeta: meta("planted"), Data: map[string]string{
			"key": key, "url": "postgres://app:planted-in-url@db.example/x", "conf": "db:\n  password: |\n    planted-in-block\n  port: stays-in-configmap\n",
			"encoded": base64.StdEncoding.EncodeToString([]byte(key)),
		}},
		&corev1.Event{ObjectMeta: meta("planted"), InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "hanse-system", Name: "member-agent-0"}, Message: "token=planted-in-event for it"},
		&v1alpha1.Contract{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "bids"}, Spec: v1alpha1.ContractSpec{Channel: "settlement", Image: "registry.example/bids:1.0",
			Env: []v1alpha1.ContractEnvVar{{Name: "API_KEY", Value: &value}}}},
		secret("hanse-bootstrap", corev1.SecretTypeOpaque, map[string]string{"token": jwt, "server": "https://host.example:6443", "ca.crt": "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"}),
		secret("org1-tls", corev1.SecretTypeTLS, map[string]string{"tls.key": key, "tls.crt": "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"}),
		secret("contract-env", corev1.SecretTypeOpaque, map[string]string{"words": phrase}),
		secret("sh.helm.release.v1.member-agent.v1", helmRelease, map[string]string{"release": "planted-in-helm"}),
	} {
		must(t, c.Create(t.Context(), o))
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "agent", RestartCount: 1, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	must(t, c.Status().Update(t.Context(), pod))
	return "stays-in-log\n" + key + "join with " + bootstrap + " now\ngot " + jwt[:40] + "\n" + jwt[40:] + "\nDB_PASSWORD=planted-in-log\n" +
		"it says " + phrase + ", and " + base64.StdEncoding.EncodeToString([]byte(phrase)) + "\n"
}

func bundled(t *testing.T, g gatherer) (Manifest, map[string]string) {
	t.Helper()
	var out bytes.Buffer
	manifest, err := g.run(t.Context(), &out, "hanse", time.Now())
	must(t, err)
	zip, err := gzip.NewReader(&out)
	must(t, err)
	files := map[string]string{}
	for archive := tar.NewReader(zip); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return manifest, files
		}
		must(t, err)
		text, err := io.ReadAll(archive)
		must(t, err)
		files[strings.TrimPrefix(header.Name, "hanse/")] = string(text)
	}
}

func opened(t *testing.T, env *envtest.Environment, name string, groups ...string) *kube.Cluster {
	t.Helper()
	user, err := env.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	must(t, err)
	text, err := user.KubeConfig()
	must(t, err)
	file := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(file, text, 0o600))
	flags := kube.Flags()
	flags.KubeConfig = &file
	cluster, err := kube.Open(flags)
	must(t, err)
	return cluster
}

// TestBundle plants secrets of every kind in a cluster and looks for them in bundles: with a redactor there is none, and
// without one the same search finds each.
func TestBundle(t *testing.T) {
	env, _, c, err := testcluster.StartWithCRDs("../../charts/federation/crds", v1alpha1.AddToScheme, corev1.AddToScheme)
	must(t, err)
	t.Cleanup(func() { _ = env.Stop() })
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	pem, err := testcluster.EncodeKey(private)
	must(t, err)
	log := plant(t, c, string(pem))
	admin := gatherer{cluster: opened(t, env, "admin", "system:masters"), source: kubeletLogs(log), release: "hanse-system", since: time.Hour, logLimit: 1 << 20,
		version: "0.1.0", progress: io.Discard, redactor: knowing}

	_, clean := bundled(t, admin)
	raw := admin
	raw.redactor = func(...string) redactor { return identity{} }
	_, whole := bundled(t, raw)
	shapes := admin
	shapes.redactor = func(...string) redactor { return knowing() }
	_, shaped := bundled(t, shapes)
	search := func(files map[string]string, text string) (found []string) {
		for name, content := range files {
			if strings.Contains(content, text) || strings.Contains(name, text) {
				found = append(found, name)
			}
		}
		return found
	}
	for what, secret := range plants(string(pem)) {
		if found := search(clean, secret); len(found) > 0 {
			t.Errorf("%s, %q, is in %v:\n%s", what, secret, found, clean[found[0]])
		}
		if found := search(shaped, secret); len(found) > 0 && !strings.HasPrefix(what, "a Secret's value") {
			t.Errorf("%s, %q, is in %v where the values of Secrets are not known", what, secret, found)
		}
		if len(search(whole, secret)) == 0 {
			t.Errorf("%s, %q, is not found without a redactor either: the search proves nothing", what, secret)
		}
	}
	for _, never := range []string{"planted-in-helm", "sh.helm.release", base64.StdEncoding.EncodeToString([]byte("planted-in-helm"))} {
		if found := search(whole, never); len(found) > 0 {
			t.Errorf("Helm's record of a release was read: %q is in %v", never, found)
		}
	}
	for _, stays := range []string{"stays-in-env", "stays-in-flag", "stays-in-configmap", "stays-in-log", "postgres://app:", "member-agent-0", "DB_PASSWORD", redact.Marker} {
		if len(search(clean, stays)) == 0 {
			t.Errorf("%q is gone", stays)
		}
	}
	holds(t, clean)
	refused(t, env, admin)
	limited(t, admin)
}

// holds compares a bundle's files with its manifest, and with what has to be in it.
func holds(t *testing.T, files map[string]string) {
	t.Helper()
	var manifest Manifest
	must(t, yaml.Unmarshal([]byte(files["manifest.yaml"]), &manifest))
	var listed []string
	for _, f := range manifest.Files {
		listed = append(listed, f.Name)
		if len(files[f.Name]) != f.Bytes {
			t.Errorf("%s has %d bytes, and the manifest says %d", f.Name, len(files[f.Name]), f.Bytes)
		}
	}
	if slices.Sort(listed); len(listed)+1 != len(files) {
		t.Errorf("the manifest lists %v, and there is %v", listed, slices.Sorted(maps.Keys(files)))
	}
	in := "namespaces/hanse-system/"
	for _, name := range []string{"versions.yaml", "check.txt", "check.yaml", "cluster/contracts.yaml", in + "pods.yaml", in + "configmaps.yaml", in + "events.yaml", in + "secrets.yaml",
		in + "logs/member-agent-0/agent.log", in + "logs/member-agent-0/agent.previous.log"} {
		if !slices.Contains(listed, name) {
			t.Errorf("there is no %s in %v", name, listed)
		}
	}
	var secrets []SecretDescription
	must(t, yaml.Unmarshal([]byte(files[in+"secrets.yaml"]), &secrets))
	for _, s := range secrets {
		if s.Name == "hanse-bootstrap" && (len(s.Keys) != 3 || s.Keys[2].Bytes != len(jwt)) || s.Name == "contract-env" && s.Keys[0] != (SecretKey{"words", len(phrase)}) || s.Name == "org1-tls" && s.Type != corev1.SecretTypeTLS {
			t.Errorf("described as %+v", s)
		}
	}
	if len(secrets) != 3 {
		t.Errorf("%d Secrets are described: %+v", len(secrets), secrets)
	}
}

// refused gathers as somebody without rights: there is a bundle, and it says what is not in it.
func refused(t *testing.T, env *envtest.Environment, g gatherer) {
	t.Helper()
	g.cluster = opened(t, env, "outsider")
	manifest, files := bundled(t, g)
	why := map[string]string{}
	for _, left := range manifest.LeftOut {
		why[left.What] = left.Why
	}
	for _, what := range []string{"cluster/members.yaml", "namespaces/hanse-system/pods.yaml", "namespaces/hanse-system/secrets.yaml", "logs and metrics of namespace hanse-system"} {
		if !strings.HasPrefix(why[what], "forbidden: ") {
			t.Errorf("the manifest says %q of %s: %+v", why[what], what, manifest.LeftOut)
		}
	}
	if files["versions.yaml"] == "" || files["manifest.yaml"] == "" {
		t.Errorf("what may be read is not there: %v", slices.Sorted(maps.Keys(files)))
	}
}

// limited gathers logs that are too large, and into a bundle that is.
func limited(t *testing.T, g gatherer) {
	t.Helper()
	g.source, g.logLimit = kubeletLogs(strings.Repeat("a line\n", 1000)), 70
	manifest, files := bundled(t, g)
	name := "namespaces/hanse-system/logs/member-agent-0/agent.log"
	if len(files[name]) != 70 || !slices.ContainsFunc(manifest.LeftOut, func(l LeftOut) bool { return l.What == name && strings.Contains(l.Why, "--log-limit") }) {
		t.Errorf("a log of %d bytes, and left out is %+v", len(files[name]), manifest.LeftOut)
	}
}
