package gather

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestBundleGoesOn holds that a bundle which is full, and a file that fails, are noted, and that the rest is there.
func TestBundleGoesOn(t *testing.T) {
	var out bytes.Buffer
	b := newBundle(&out, "x", knowing(), time.Unix(0, 0))
	b.limit = 20
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, _ = io.WriteString(w, text)
			return err
		}
	}
	b.add("first", write("ten bytes\n", nil))
	b.add("large", write(strings.Repeat("x y ", 10), nil))
	b.add("half", write("half", errors.New("password=hunter2 was wrong")))
	b.add("empty", write("", nil))
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if len(b.manifest.Files) != 2 || b.manifest.Files[1].Name != "half" {
		t.Errorf("files: %+v", b.manifest.Files)
	}
	if l := b.manifest.LeftOut; len(l) != 2 || !strings.HasPrefix(l[0].Why, "too large") || l[1].What != "half" || strings.Contains(l[1].Why, "hunter2") {
		t.Errorf("left out: %+v", l)
	}
}

func TestDescribeSecrets(t *testing.T) {
	certificate := "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"
	for _, row := range []struct {
		why, name, key, value string
		kind                  corev1.SecretType
		public                bool
	}{
		{"a key", "org1-tls", "tls.key", "secret", corev1.SecretTypeTLS, false},
		{"a certificate", "org1-tls", "tls.crt", certificate, corev1.SecretTypeTLS, true},
		{"a key behind a certificate", "org1-tls", "both", certificate + "-----BEGIN PRIVATE KEY-----", corev1.SecretTypeOpaque, false},
		{"the namespace of a token", "x", "namespace", "hanse-system", corev1.SecretTypeServiceAccountToken, true},
		{"a value of that name elsewhere", "x", "namespace", "hanse-system", corev1.SecretTypeOpaque, false},
		{"where the host is", "hanse-host-credential", "next-server", "https://192.0.2.1", corev1.SecretTypeOpaque, true},
		{"the invitation's token", "hanse-bootstrap", "token", "secret", corev1.SecretTypeOpaque, false},
		{"a value of that name of a contract", "bids", "server", "https://192.0.2.1", corev1.SecretTypeOpaque, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			described, values := describeSecrets([]corev1.Secret{{ObjectMeta: metav1.ObjectMeta{Name: row.name}, Type: row.kind, Data: map[string][]byte{row.key: []byte(row.value)}}})
			if described[0].Keys[0] != (SecretKey{row.key, len(row.value)}) || (len(values) == 0) != row.public {
				t.Errorf("described as %+v, and %q must not be seen", described, values)
			}
		})
	}
}
