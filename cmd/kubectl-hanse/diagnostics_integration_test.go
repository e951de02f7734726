//go:build integration

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/hanse-io/hanse/internal/version"
	"github.com/hanse-io/hanse/kubectl-hanse/check"
)

// finds runs check, and looks for results by their names, levels and words. It fails if the exit code is not that of the
// results.
func (p person) finds(t *testing.T, args []string, want ...[3]string) {
	t.Helper()
	out, _, err := p.says(append(append([]string{"check"}, args...), "-o", "json")...)
	var report check.Report
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("check %v: %v, and it prints %q", args, err, out)
	}
	if (err != nil) != (report.Failed > 0) {
		t.Errorf("check %v ends with %v, and %d checks have failed", args, err, report.Failed)
	}
	for _, w := range want {
		found := false
		for _, r := range report.Results {
			found = found || r.Check == w[0] && string(r.Level) == w[1] && strings.Contains(r.Message+" "+r.Remedy, w[2])
		}
		if !found {
			t.Errorf("check %v: want %q in\n%s", args, w, report.Text())
		}
	}
}

// checksBefore checks a cluster that knows nothing of Hanse: it would do as a host, and lacks what a member needs.
func checksBefore(t *testing.T, config *rest.Config, p person) {
	t.Helper()
	p.each(t, "a cluster without Hanse", []row{
		{"check", []string{"check"}, "Hanse is not installed in it"},
		{"check's flags", []string{"check", "--role", "host"}, "go with --pre"},
		{"a role that there is not", []string{"check", "--pre", "--role", "peer"}, "neither host nor member"},
		{"a format that there is not", []string{"check", "-o", "xml"}, "is no format of this command"},
	})
	p.finds(t, []string{"--pre", "--role", "host"},
		[3]string{"Kubernetes version", "OK", "1.34"}, [3]string{"clock", "OK"}, [3]string{"admission policies", "OK"}, [3]string{"rights", "OK"},
		[3]string{"signer of credentials", "Skipped", "kubectl get csr"})
	ca, other := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "other.pem")
	for file, text := range map[string][]byte{ca: config.CAData, other: []byte("no certificate")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := "https://" + strings.TrimPrefix(config.Host, "https://")
	p.finds(t, []string{"--pre", "--host-server", server, "--host-ca", ca},
		[3]string{"cert-manager", "Failed", "helm install cert-manager"}, [3]string{"StorageClass", "Failed", "no default StorageClass"},
		[3]string{"network policies", "Warning", "cannot be told"}, [3]string{"reach of the host", "OK", server}, [3]string{"clock of the host", "OK"})
	p.finds(t, []string{"--pre", "--host-server", server}, [3]string{"reach of the host", "Failed", "--host-ca"})
	p.finds(t, []string{"--pre", "--host-server", server, "--host-ca", other}, [3]string{"reach of the host", "Failed", "has no certificate in PEM"})
}

// checksAfter checks a cluster in which helm has installed a member agent, and no node runs its pods.
func checksAfter(t *testing.T, p, outsider person) {
	t.Helper()
	p.finds(t, nil, [3]string{"components", "Failed", "replicas of member-agent are available"}, [3]string{"CRDs", "OK", "schemas of version " + version.Current},
		[3]string{"credential on the host", "Failed", "has no credential"}, [3]string{"certificates", "Failed", "helm install cert-manager"})
	outsider.finds(t, nil, [3]string{"components", "Warning", "cannot list resource"}, [3]string{"plans", "Warning", "not checked"})
	outsider.finds(t, []string{"--pre", "--role", "member"}, [3]string{"rights", "Failed", "create deployments.apps in hanse-system"})
	out, _, err := p.says("check")
	if err == nil || !strings.HasPrefix(out, "✗ Failed") || !strings.Contains(out, "→ ") {
		t.Errorf("problems are to come first, with their remedies: %v\n%s", err, out)
	}
}

// checksHost checks a host whose controller is not there, with a Member that was invited.
func checksHost(t *testing.T, p person) {
	t.Helper()
	p.finds(t, nil, [3]string{"components", "Failed", "no Deployment federation"}, [3]string{"invitations", "Warning", "org1's invitation has not been used yet"},
		[3]string{"consortia", "Warning", "Consortium team-a/trade has no status yet"}, [3]string{"CRDs", "OK", "8 CRDs"})
}
