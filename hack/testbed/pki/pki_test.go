package pki

import (
	"crypto/x509"
	"os"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func authority(t *testing.T, dir string, now time.Time) *Authority {
	t.Helper()
	a, err := NewAuthority(dir, "ca", "test-ca", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestEnsureIsSteady(t *testing.T) {
	server := Leaf{Name: "server", CommonName: "server", Hosts: []string{"localhost", "10.0.0.1"}}
	more := server
	more.Hosts = []string{"localhost", "10.0.0.1", "10.0.0.2"}
	tests := []struct {
		why     string
		leaf    Leaf
		now     time.Time
		renewed bool
	}{
		{"the same again changes nothing", server, noon, false},
		{"one more address needs a new certificate", more, noon, true},
		{"so does one that has run out", server, noon.Add(leafLife + time.Hour), true},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		if err := authority(t, dir, noon).Ensure(server); err != nil {
			t.Fatal(err)
		}
		before, _, err := read(dir, "server")
		if err != nil {
			t.Fatal(err)
		}
		if err := authority(t, dir, tt.now).Ensure(tt.leaf); err != nil {
			t.Fatal(err)
		}
		after, _, err := read(dir, "server")
		if err != nil {
			t.Fatal(err)
		}
		if before.Equal(after) == tt.renewed {
			t.Errorf("%s: renewed is %v", tt.why, !tt.renewed)
		}
	}
}

func TestWhatACertificateIsGoodFor(t *testing.T) {
	dir := t.TempDir()
	a := authority(t, dir, noon)
	for _, leaf := range []Leaf{
		{Name: "server", CommonName: "server", Hosts: []string{"10.0.0.1"}},
		{Name: "client", CommonName: "client", Client: true},
	} {
		if err := a.Ensure(leaf); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		why, name, host string
		usage           x509.ExtKeyUsage
		ok              bool
	}{
		{"a server serves under its address", "server", "10.0.0.1", x509.ExtKeyUsageServerAuth, true},
		{"and under no other", "server", "10.0.0.2", x509.ExtKeyUsageServerAuth, false},
		{"a mere server is no client", "server", "", x509.ExtKeyUsageClientAuth, false},
		{"a client is a client", "client", "", x509.ExtKeyUsageClientAuth, true},
		{"and no server", "client", "", x509.ExtKeyUsageServerAuth, false},
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	for _, tt := range tests {
		cert, _, err := read(dir, tt.name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cert.Verify(x509.VerifyOptions{DNSName: tt.host, Roots: roots, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{tt.usage}})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
}

func TestKubeconfig(t *testing.T) {
	dir := t.TempDir()
	a := authority(t, dir, noon)
	if err := a.Ensure(Leaf{Name: "admin", CommonName: "admin", Client: true}); err != nil {
		t.Fatal(err)
	}
	file := dir + "/out/host.kubeconfig"
	if err := a.Kubeconfig(file, "trade-hub", "https://10.213.0.2:6443", "admin"); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil || config.Host != "https://10.213.0.2:6443" || config.Insecure || len(config.CAData) == 0 {
		t.Errorf("kubeconfig: %+v, %v", config, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file with a private key is for its owner alone: %v, %v", info.Mode(), err)
	}
}
