package ccaas

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	pki := newPKI(t)
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why  string
		env  map[string]string
		want []string // what the error must name; nil: no error
	}{
		{"an id is enough", map[string]string{EnvID: "notary:1"}, nil},
		{"without an id the peer would not know the chaincode", nil, []string{EnvID, "queryinstalled"}},
		{"an address needs a port", map[string]string{EnvID: "x", EnvAddress: "localhost"}, []string{EnvAddress, "host:port"}},
		{"a typo must not turn TLS off", map[string]string{EnvID: "x", EnvTLSDisabled: "flase"}, []string{EnvTLSDisabled, "true or false"}},
		{"everything wrong is said at once", map[string]string{EnvTLSDisabled: "false"}, []string{EnvID, EnvTLSKey, EnvTLSCert}},
		{"a certificate that would go unused is a mistake",
			map[string]string{EnvID: "x", EnvTLSCert: pki.cert, EnvTLSKey: pki.key}, []string{EnvTLSDisabled + "=false"}},
		{"a missing file is named",
			map[string]string{EnvID: "x", EnvTLSDisabled: "false", EnvTLSCert: "/nowhere", EnvTLSKey: pki.key}, []string{"/nowhere"}},
		{"a file without a root would trust nobody",
			map[string]string{EnvID: "x", EnvTLSDisabled: "false", EnvTLSCert: pki.cert, EnvTLSKey: pki.key, EnvClientCA: junk},
			[]string{EnvClientCA, "PEM"}},
		{"TLS with client authentication",
			map[string]string{EnvID: "x", EnvTLSDisabled: "false", EnvTLSCert: pki.cert, EnvTLSKey: pki.key, EnvClientCA: pki.ca}, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			config, err := Load(func(name string) string { return row.env[name] })
			if (err == nil) != (row.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not name %s: %v", want, err)
				}
			}
			if err == nil && row.env[EnvTLSDisabled] == "false" &&
				(config.TLS.MinVersion < tls.VersionTLS12 || config.TLS.ClientAuth != tls.RequireAndVerifyClientCert) {
				t.Errorf("TLS is too weak: %+v", config.TLS)
			}
			if err == nil && config.Address != DefaultAddress {
				t.Errorf("it listens on %s", config.Address)
			}
		})
	}
}
