package redact

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// keys are private keys in PEM, one of each kind.
func keys(t testing.TB) map[string]string {
	t.Helper()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	prime, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	sec1, err := x509.MarshalECPrivateKey(curve)
	must(t, err)
	all := map[string]string{"EC": inPEM("EC PRIVATE KEY", sec1), "RSA": inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(prime))}
	for name, key := range map[string]any{"EC PKCS8": curve, "RSA PKCS8": prime, "Ed25519": edwards} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		all[name] = inPEM("PRIVATE KEY", der)
	}
	return all
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bodyOf is the part of a key in PEM that must not be seen, line by line.
func bodyOf(key string) []string {
	all := strings.Split(strings.TrimSpace(key), "\n")
	return all[1 : len(all)-1]
}

func wrap(text string, width int) string {
	var out strings.Builder
	for ; len(text) > width; text = text[width:] {
		out.WriteString(text[:width] + "\n")
	}
	return out.String() + text
}

func TestPrivateKeys(t *testing.T) {
	for kind, key := range keys(t) {
		encoded := base64.StdEncoding.EncodeToString([]byte(key))
		quoted, err := json.Marshal(key)
		must(t, err)
		body := bodyOf(key)
		for _, row := range []struct {
			why, text string
			secrets   []string
		}{
			{"as it stands in a file", key, body},
			{"indented, as in YAML", "    " + strings.ReplaceAll(key, "\n", "\n    "), body},
			{"in JSON", `{"key":` + string(quoted) + `}`, body},
			{"in JSON within JSON", fmt.Sprintf("%q", `{"key":`+string(quoted)+`}`), body},
			{"the end alone, as of a log that begins in the middle", strings.Join(strings.SplitAfter(key, "\n")[1:], ""), body[:1]},
			{"the beginning alone", key[:len(key)/2], body[:1]},
			{"without PEM's lines", strings.Join(body, ""), body},
			{"base64 of it", "key: " + encoded, []string{encoded[len(encoded)/2 : len(encoded)-4]}},
			{"base64 of it, in lines", wrap(encoded, 76), []string{encoded[80:120]}},
			{"base64 of it after other bytes", base64.StdEncoding.EncodeToString([]byte("x" + key)), []string{base64.StdEncoding.EncodeToString([]byte("x" + key))[60:120]}},
			{"base64 of base64", base64.StdEncoding.EncodeToString([]byte(encoded)), []string{base64.StdEncoding.EncodeToString([]byte(encoded))[100:140]}},
			{"in the alphabet of URLs", base64.RawURLEncoding.EncodeToString([]byte(key)), []string{base64.RawURLEncoding.EncodeToString([]byte(key))[60:100]}},
		} {
			t.Run(kind+": "+row.why, func(t *testing.T) {
				secrets := row.secrets
				if kind == "Ed25519" && strings.Contains(row.why, "alone") {
					return // it has one line, which is shorter than those of a longer key
				}
				check(t, "before\n"+row.text+"\nafter it\n", secrets, []string{"before", "after it"})
			})
		}
	}
}

// check redacts a text in one piece and byte by byte.
func check(t *testing.T, text string, secrets, stay []string) {
	t.Helper()
	got := New().Text(text)
	var slow strings.Builder
	w := New().Writer(&slow)
	for i := range len(text) {
		_, err := w.Write([]byte{text[i]})
		must(t, err)
	}
	must(t, w.Close())
	if slow.String() != got {
		t.Errorf("in pieces:\n%s\nat once:\n%s", slow.String(), got)
	}
	for _, secret := range secrets {
		if !strings.Contains(strings.ReplaceAll(text, "\n", ""), strings.ReplaceAll(secret, "\n", "")) {
			t.Fatalf("the test searches for %q, which is not in the text", secret)
		}
		if strings.Contains(got, secret) {
			t.Errorf("%q is still in\n%s", secret, got)
		}
	}
	for _, text := range stay {
		if !strings.Contains(got, text) {
			t.Errorf("%q is gone from\n%s", text, got)
		}
	}
	if len(secrets) > 0 && !strings.Contains(got, Marker) {
		t.Errorf("nothing says that something was taken out:\n%s", got)
	}
}

const jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVzIiwic3ViIjoieCJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"

func TestTokensAndPasswords(t *testing.T) {
	for _, row := range []struct {
		why, text     string
		secrets, stay []string
	}{
		{"a JWT", "got " + jwt + " from it", []string{"c2lnbmF0dXJl", "eyJpc3Mi"}, []string{"got ", " from it"}},
		{"a JWT over two lines", jwt[:50] + "\n" + jwt[50:] + "\nnext line", []string{jwt[50:]}, []string{"next line"}},
		{"a JWT over two lines before another secret", jwt[:40] + "\n" + jwt[40:] + "\nDB_PASSWORD=hunter2hunter2\n", []string{"c2lnbmF0dXJl", "hunter2"}, []string{"DB_PASSWORD="}},
		{"a JWT's header over two lines", jwt[:20] + "\n" + jwt[20:] + "\nnext line", []string{jwt[20:]}, []string{"next line"}},
		{"base64 of a JWT, as of a Secret", "token: " + base64.StdEncoding.EncodeToString([]byte(jwt)), []string{base64.StdEncoding.EncodeToString([]byte(jwt))[:20]}, nil},
		{"a header", "Authorization: Bearer abcdefghijkl", []string{"abcdefghijkl"}, []string{"Authorization"}},
		{"a header of user and password", "authorization: Basic dXNlcjpzZWNyZXQ=", []string{"dXNlcjpzZWNyZXQ"}, nil},
		{"such a header in prose", "sent Basic dXNlcjpzZWNyZXQ= to it", []string{"dXNlcjpzZWNyZXQ"}, []string{"sent Basic", "to it"}},
		{"kubeadm's token", "join --token abcdef.0123456789abcdef now", []string{"0123456789abcdef"}, []string{"join", "now"}},
		{"kubeadm's token in prose", "the token is abcdef.0123456789abcdef.", []string{"0123456789abcdef"}, []string{"the token is"}},
		{"an environment", "DB_PASSWORD=hunter2 HOME=/root", []string{"hunter2"}, []string{"DB_PASSWORD", "HOME=/root"}},
		{"a flag", "run --admin-password hunter2 --port 80", []string{"hunter2"}, []string{"--port 80"}},
		{"YAML, with spaces", "  password: correct horse battery", []string{"horse", "battery"}, []string{"password"}},
		{"a block of YAML", "password: |\n  correct horse\n  battery\nport: 80", []string{"horse", "battery"}, []string{"port: 80"}},
		{"JSON", `{"level":"info","password":"correct horse","port":80}`, []string{"horse"}, []string{`"port":80`, `"level":"info"`}},
		{"JSON within JSON", `{"msg":"{\"clientSecret\":\"correct horse\",\"port\":80}"}`, []string{"horse"}, []string{`80`}},
		{"a quotation mark in it", `{"password":"correct\"horse","port":80}`, []string{"horse"}, []string{`"port":80`}},
		{"a variable in JSON", `{"name":"DB_PASSWORD","value":"hunter2"}`, []string{"hunter2"}, []string{"DB_PASSWORD"}},
		{"a variable in YAML", "- name: DB_PASSWORD\n  value: hunter2\n- name: PORT\n  value: x80", []string{"hunter2"}, []string{"DB_PASSWORD", "x80"}},
		{"short names", "adminpw=a1 ADMINPW=a2 dbPass=a3 user_pwd=a4", []string{"=a1", "=a2", "=a3", "=a4"}, nil},
		{"a URL", "dial postgres://app:hunter2@db.example:5432/x failed", []string{"hunter2"}, []string{"postgres://app:", "@db.example:5432/x failed"}},
		{"a URL without a user", "redis://:hunter2@cache:6379", []string{"hunter2"}, []string{"@cache:6379"}},
		{"a URL whose password is not escaped", "amqp://app:hun/t@er2@mq", []string{"hun/t", "er2"}, []string{"@mq"}},
		{"MySQL's own form", "app:hunter2@tcp(db:3306)/x", []string{"hunter2"}, []string{"tcp(db:3306)"}},
		{"words and values", "host=db password=hunter2 dbname=x", []string{"hunter2"}, []string{"host=db", "dbname=x"}},
		{"Docker's configuration", `{"auths":{"r.example":{"auth":"dXNlcjpodW50ZXIy"}}}`, []string{"dXNlcjpodW50ZXIy"}, []string{"r.example"}},
		{"a provider's key", "using AKIAIOSFODNN7EXAMPLE now", []string{"AKIAIOSFODNN7EXAMPLE"}, []string{"now"}},
	} {
		t.Run(row.why, func(t *testing.T) { check(t, row.text+"\n", row.secrets, row.stay) })
	}
}

// TestStays holds that what supporters need is still there: too much must not be taken out either.
func TestStays(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	template := &x509.Certificate{}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	signature, err := ecdsa.SignASN1(rand.Reader, key, make([]byte, 32))
	must(t, err)
	certificate := inPEM("CERTIFICATE", der)
	for _, row := range []struct{ why, text string }{
		{"a certificate", certificate},
		{"a certificate in YAML", "root: |\n    " + strings.ReplaceAll(certificate, "\n", "\n    ")},
		{"base64 of a certificate", "caBundle: " + base64.StdEncoding.EncodeToString([]byte(certificate))},
		{"a public key", inPEM("PUBLIC KEY", public)},
		{"a signature", "signature: " + base64.StdEncoding.EncodeToString(signature)},
		{"a digest", "image: ghcr.io/hanse-io/contract-notary:0.1.0@sha256:" + strings.Repeat("0a", 32)},
		{"a digest on a line of its own", strings.Repeat("0a", 32)},
		{"names of Secrets", "secretName: hanse-bootstrap\nimagePullSecrets: []\nsecretKeyRef: {name: a, key: b}"},
		{"no values", "automountServiceAccountToken: false\ntokenExpirationSeconds: 3607\npassword: \"\""},
		{"the agent's log", `{"time":"2026-11-30T12:00:00Z","level":"INFO","msg":"registered","member":"org1","expires":"2026-12-07T12:00:00Z"}`},
		{"a reason", "the invitation's token is wrong, used or old: kubectl hanse invite org1 --replace --host-server https://192.0.2.1:6443"},
		{"words on lines of their own", "started\nstopped\ndone"},
		{"names of objects", "peer0-org1.hanse-trade:7051 federation.hanse.io/v1alpha1 deployment.apps/member-agent"},
	} {
		t.Run(row.why, func(t *testing.T) {
			if got := New().Text(row.text); got != row.text {
				t.Errorf("got\n%s\nwant\n%s", got, row.text)
			}
		})
	}
}

func TestLongLine(t *testing.T) {
	if got := New().Text("before\n" + strings.Repeat("x", maxLine+1) + "hunter2\nafter"); got != "before\n"+marker("a line of more than 4 MiB")+"\nafter" {
		t.Errorf("got %.200s", got)
	}
}

func TestValues(t *testing.T) {
	value := "correct horse battery\nstaple staple"
	r := New(value, "short")
	text := "a correct horse battery, staple staple, " + base64.StdEncoding.EncodeToString([]byte(value)) + " a short one"
	if got := r.Text(text); strings.Contains(got, "horse") || strings.Contains(got, "staple") || strings.Contains(got, "Y29ycmVj") || !strings.HasSuffix(got, " a short one") {
		t.Errorf("got %s", got)
	}
}

func TestObject(t *testing.T) {
	applied := `{"kind":"Deployment","spec":{"env":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"PORT","value":"1080"}]}}`
	secret := `{"kind":"Secret","data":{"anything":"aHVudGVyMg=="}}`
	object := map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": applied, "other": secret}},
		"data":     map[string]any{"password": "hunter2", "config": "a: b\npassword: hunter2\nport: 1080"},
		"args":     []any{"run", "--password", "hunter2", "--port", "1080"},
		"env":      []any{map[string]any{"value": "hunter2", "name": "ADMIN_TOKEN"}, map[string]any{"name": "NAME", "value": "name-1080"}},
	}
	text, err := json.Marshal(New().Object(object))
	must(t, err)
	if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "aHVudGVyMg") {
		t.Errorf("a secret is in %s", text)
	}
	if n := strings.Count(string(text), "1080"); n != 4 {
		t.Errorf("%d of 4 harmless values are left in %s", n, text)
	}
}
