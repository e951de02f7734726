//go:build e2e

package e2e

import (
	"archive/tar"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/hack/harness"
)

// diagnosed has check say that all is well and, with the host's controller taken away, what is not; and looks for the keys of
// an organization, and for planted secrets, in its bundle.
func diagnosed(t *testing.T, s *harness.Harness) {
	for _, cluster := range []string{"host", "org1"} {
		eventually(t, cluster+" is well", func() error {
			out, err := s.Hanse(t.Context(), cluster, "check")
			if err == nil && !strings.Contains(out, "0 failed") {
				err = errors.New(out)
			}
			return err
		})
	}
	scale := func(replicas string) {
		must2(t)(s.Kubectl(t.Context(), "host", "-n", "hanse-system", "scale", "deployment", "federation", "--replicas="+replicas))
	}
	scale("0")
	out, err := s.Hanse(t.Context(), "host", "check")
	scale("1")
	if err == nil || !strings.HasPrefix(out, "✗ Failed") || !strings.Contains(out, "federation is scaled to 0 replicas") {
		t.Errorf("the controller is away, and check says %v:\n%s", err, out)
	}
	must2(t)(s.Kubectl(t.Context(), "host", "-n", "hanse-system", "rollout", "status", "deployment", "federation", "--timeout=600s"))
	bundleWithoutSecrets(t, s)
}

const plantedSecrets = `
apiVersion: v1
kind: ConfigMap
metadata: {name: planted, namespace: hanse-trade, annotations: {note: "postgres://app:planted-in-url@db/x"}}
data: {conf: "password: planted-in-conf", note: "it says planted words in a secret, too"}
---
apiVersion: v1
kind: Secret
metadata: {name: planted, namespace: hanse-trade}
stringData: {words: "planted words in a secret"}
`

func bundleWithoutSecrets(t *testing.T, s *harness.Harness) {
	if err := s.Apply(t.Context(), "org1", plantedSecrets); err != nil {
		t.Fatal(err)
	}
	defer func() {
		must2(t)(s.Kubectl(t.Context(), "org1", "-n", "hanse-trade", "delete", "configmap,secret", "planted"))
	}()
	secrets := []string{"planted-in-url", "planted-in-conf", "planted words in a secret"}
	source := must2(t)(s.Kubectl(t.Context(), "org1", "-n", "hanse-trade", "get", "configmap", "planted", "-o", "yaml"))
	for _, secret := range secrets {
		if !strings.Contains(source, secret) {
			t.Fatalf("%q was not planted, and not to find it proves nothing", secret)
		}
	}
	for _, secret := range []string{"peer0-org1-tls", "admin-org1"} {
		encoded := get(t, s, "org1", `{.data.tls\.key}`, "-n", "hanse-trade", "secret", secret)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !strings.Contains(string(key), "PRIVATE KEY") {
			t.Fatalf("Secret %s has no key to look for: %v", secret, err)
		}
		secrets = append(secrets, encoded[60:120], strings.Split(string(key), "\n")[1])
	}
	file := t.TempDir() + "/bundle.tar.gz"
	must2(t)(s.Hanse(t.Context(), "org1", "gather", "--output", file))
	files := untar(t, file)
	for name, text := range files {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has the secret %q", name, secret)
			}
		}
	}
	for name, holds := range map[string]string{
		"manifest.yaml": "leftOut:", "check.txt": "checks:", "namespaces/hanse-trade/configmaps.yaml": "[REDACTED", "namespaces/hanse-trade/logs/peer0-org1-0/peer.log": "",
		"namespaces/hanse-system/secrets.yaml": "hanse-host-credential", "cluster/memberplans.yaml": "kind: MemberPlan",
	} {
		if text, found := files["bundle/"+name]; !found || !strings.Contains(text, holds) {
			t.Errorf("%s is not in the bundle, or lacks %q", name, holds)
		}
	}
	// A NetworkPolicy may keep the API server from a component's metrics: then the manifest says so.
	metrics := strings.Contains(files["bundle/manifest.yaml"], "/metrics/gateway-")
	for name, text := range files {
		if strings.Contains(name, "/metrics/") && !strings.Contains(text, "hanse_") {
			t.Errorf("%s has no metrics of Hanse: %.200s", name, text)
		}
	}
	if !metrics {
		t.Errorf("the manifest does not speak of the gateways' metrics:\n%s", files["bundle/manifest.yaml"])
	}
}

// untar is the files of an archive by their names.
func untar(t *testing.T, name string) map[string]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(zip); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		text, readErr := io.ReadAll(archive)
		if err := errors.Join(err, readErr); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		files[header.Name] = string(text)
	}
}
