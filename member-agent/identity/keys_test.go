package identity

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/ledger"
)

func TestNewKey(t *testing.T) {
	private, public, err := newKey(ledger.IdentityEd25519)
	if err != nil {
		t.Fatal(err)
	}
	secret, shown := decoded(t, private), decoded(t, public)
	key, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	known, err := x509.ParsePKIXPublicKey(shown)
	if err != nil {
		t.Fatal(err)
	}
	if own, ok := key.(ed25519.PrivateKey); !ok || !own.Public().(ed25519.PublicKey).Equal(known) {
		t.Errorf("%T and %T are no pair", key, known)
	}
	if _, _, err := newKey(ledger.IdentitySecp256k1); err == nil || !strings.Contains(err.Error(), "Secp256k1: update it") {
		t.Errorf("a kind that is not made here: %v", err)
	}
}

func decoded(t *testing.T, text []byte) []byte {
	t.Helper()
	block, rest := pem.Decode(text)
	if block == nil || len(rest) > 0 {
		t.Fatalf("not one PEM block: %s", text)
	}
	return block.Bytes
}
