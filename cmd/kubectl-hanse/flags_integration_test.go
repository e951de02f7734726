//go:build integration

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/hanse-io/hanse/internal/testcluster"
)

// commands are the commands that talk to a cluster, each with what it needs.
func commands(t *testing.T) map[string][]string {
	t.Helper()
	return map[string][]string{
		"status": {"status", "trade"}, "profile": {"profile", "trade"}, "version": {"version"}, "invoke": invocation(),
		"env":    {"env", "trade", "--out", filepath.Join(t.TempDir(), "env")},
		"invite": {"invite", "org9", "--host-server", "https://203.0.113.10:6443", "--timeout", "100ms"},
	}
}

// keepsFlags has kubectl's own flags choose the cluster and who asks, of every command, by what the API server answers.
func keepsFlags(t *testing.T, h *host, admin, outsider person) {
	t.Helper()
	both, token, otherAuthority := choice(t, admin, outsider), serviceToken(t, h), authority(t)
	key := credentials(t, outsider)
	const forbidden, away = "ask whoever runs this cluster for that right", "does not answer"
	for _, row := range []struct {
		why   string
		flags []string
		want  string
	}{
		{"another context", []string{"--context", "outsider"}, forbidden},
		{"another user", []string{"--user", "outsider"}, forbidden},
		{"another cluster", []string{"--cluster", "away"}, away},
		{"a context that there is not", []string{"--context", "nowhere"}, "--kubeconfig"},
		{"another server", []string{"--server", "https://127.0.0.1:1"}, away},
		{"acting as somebody", []string{"--as", "outsider"}, `User "outsider"`},
		{"acting as one of a group", []string{"--as", "somebody", "--as-group", "clerks"}, `User "somebody"`},
		{"a token", []string{"--user", "nobody", "--token", token}, "system:serviceaccount:default:reader"},
		{"a certificate", append([]string{"--user", "nobody"}, key...), `User "outsider"`},
		{"another authority", []string{"--certificate-authority", otherAuthority}, "certificate signed by unknown authority"},
		{"another name of the server", []string{"--tls-server-name", "elsewhere.example"}, "elsewhere.example"},
		{"a time that is too short", []string{"--request-timeout", "1ns"}, away},
	} {
		for name, args := range commands(t) {
			_, _, err := person{both}.says(append(args, row.flags...)...)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: %s %v: want %q, got %v", row.why, name, row.flags, row.want, err)
			}
		}
	}
	if _, _, err := (person{both}).says("status", "trade", "--as", "somebody", "--as-group", "system:masters"); err != nil {
		t.Errorf("acting as one of a group that has every right: %v", err)
	}
}

// choice is a kubeconfig with both persons' contexts, and a cluster that is away.
func choice(t *testing.T, admin, outsider person) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(admin.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	other, err := clientcmd.LoadFromFile(outsider.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	current := config.Contexts[config.CurrentContext]
	config.AuthInfos["outsider"] = other.AuthInfos[other.Contexts[other.CurrentContext].AuthInfo]
	config.AuthInfos["nobody"] = &api.AuthInfo{}
	config.Contexts["outsider"] = &api.Context{Cluster: current.Cluster, AuthInfo: "outsider"}
	away := config.Clusters[current.Cluster].DeepCopy()
	away.Server = "https://127.0.0.1:1"
	config.Clusters["away"] = away
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// credentials are the flags for a person's own certificate and key.
func credentials(t *testing.T, p person) []string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(p.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	user, folder := config.AuthInfos[config.Contexts[config.CurrentContext].AuthInfo], t.TempDir()
	var flags []string
	for flag, data := range map[string][]byte{"client-certificate": user.ClientCertificateData, "client-key": user.ClientKeyData} {
		file := filepath.Join(folder, flag)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--"+flag, file)
	}
	return flags
}

// serviceToken is the token of an account without rights.
func serviceToken(t *testing.T, h *host) string {
	t.Helper()
	create(t, h.objects, &corev1.ServiceAccount{ObjectMeta: named("default", "reader")})
	clients, err := kubernetes.NewForConfig(h.config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := clients.CoreV1().ServiceAccounts("default").CreateToken(context.Background(), "reader", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// authority is one that the API server's certificate is not of.
func authority(t *testing.T) string {
	t.Helper()
	other, err := testcluster.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return other.CertFile()
}
