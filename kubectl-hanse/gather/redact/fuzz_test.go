package redact

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzWriter plants secrets in texts of any kind, and writes them in pieces of any size.
func FuzzWriter(f *testing.F) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), []byte(strings.Repeat("\x01\x9f", 16)))
	must(f, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(f, err)
	private := inPEM("PRIVATE KEY", der)
	encoded := base64.StdEncoding.EncodeToString([]byte(private))
	secrets := []struct{ text, hidden string }{
		{private, bodyOf(private)[0]},
		{strings.ReplaceAll(private, "\n", `\n`), bodyOf(private)[0]},
		{encoded, encoded[60:120]},
		{wrap(encoded, 76), encoded[80:120]},
		{jwt, jwt[40:]},
		{wrap(jwt, 40), jwt[40:80]},
		{"postgres://app:hunter2hunter2@db/x", "hunter2hunter2"},
		{"DB_PASSWORD=hunter2hunter2", "hunter2hunter2"},
	}
	for i := range secrets {
		f.Add("level=info msg=started\n", "\nnext\n", uint8(i), uint64(i))
		f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n", "\n-----END CERTIFICATE-----\n", uint8(i), uint64(i))
		f.Add(`{"password":"`, `","x":"\"`, uint8(i), uint64(i))
		f.Add("- name: X_TOKEN\n  value: ", "\n  password: |\n   x\n", uint8(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, before, after string, which uint8, seed uint64) {
		secret := secrets[int(which)%len(secrets)]
		text := before + "\n" + secret.text + "\n" + after
		got := New().Text(text)
		if strings.Contains(before, secret.hidden) || strings.Contains(after, secret.hidden) {
			t.Skip("it stands somewhere in pieces")
		}
		if strings.Contains(got, secret.hidden) {
			t.Errorf("%q is left in\n%q\nof\n%q", secret.hidden, got, text)
		}
		var pieces strings.Builder
		w := New().Writer(&pieces)
		random := rand.New(rand.NewPCG(seed, 1))
		for rest := []byte(text); len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			_, err := w.Write(rest[:n])
			must(t, err)
			rest = rest[n:]
		}
		must(t, w.Close())
		if pieces.String() != got {
			t.Errorf("in pieces\n%q\nat once\n%q", pieces.String(), got)
		}
	})
}
