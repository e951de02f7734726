package statement

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
)

// Two keys as openssl writes them.
const (
	opensslEd25519 = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEANV3MpITUS1GLMVJBdJLeDfnFcs26t+D0rDQRlXBTGTc=
-----END PUBLIC KEY-----
`
	opensslSecp256k1 = `-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEj1nvX1mE9mJuFRgGQF7XpD8RGbh5hOx9
oJzr0meq3itOL7+4zpxd6SXrkeoJhgZtaqIw0D4I0z+dPpx4uj9P0g==
-----END PUBLIC KEY-----
`
	opensslCompressed = `-----BEGIN PUBLIC KEY-----
MDYwEAYHKoZIzj0CAQYFK4EEAAoDIgADX7jKLkL1u+KzNq5oGbz0tkDIdNxn5p/U
X1mH8kL7Ylg=
-----END PUBLIC KEY-----
`
)

// der is a public key's text by its encoding in hexadecimal.
func der(t testing.TB, parts ...string) string {
	t.Helper()
	raw, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: raw}))
}

func TestParsePublicKey(t *testing.T) {
	const (
		ed   = "302a300506032b6570032100"
		secp = "3056301006072a8648ce3d020106052b8104000a034200"
		gx   = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
		gy   = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
	)
	zeros := strings.Repeat("00", 32)
	p256, err := x509.MarshalPKIXPublicKey(newAuthority(t, "org1", nil).key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, text, kind, bytes, want string
	}{
		{"Ed25519, of openssl", opensslEd25519, Ed25519, "355dcca484d44b518b3152417492de0df9c572cdbab7e0f4ac34119570531937", ""},
		{"secp256k1, of openssl", opensslSecp256k1, Secp256k1, "028f59ef5f5984f6626e151806405ed7a43f1119b87984ec7da09cebd267aade2b", ""},
		{"the base point of Ed25519", der(t, ed, "58", strings.Repeat("66", 31)), Ed25519, "58" + strings.Repeat("66", 31), ""},
		{"the base point of secp256k1", der(t, secp, "04", gx, gy), Secp256k1, "02" + gx, ""},

		{"nothing", "", "", "", "not one PEM block"},
		{"a private key would be shown to everybody", strings.ReplaceAll(opensslEd25519, "PUBLIC", "PRIVATE"), "", "", "not one PEM block"},
		{"two keys in one text", opensslEd25519 + opensslEd25519, "", "", "not one PEM block"},
		{"text before it, which another reader might take", "x\n" + opensslEd25519, "", "", "not one PEM block"},
		{"the same key in a second text", strings.TrimSpace(opensslEd25519), "", "", "not one PEM block"},
		{"PEM with a header", strings.Replace(opensslEd25519, "KEY-----\n", "KEY-----\nA: b\n\n", 1), "", "", "not one PEM block"},
		{"a text without end", strings.Repeat("x", 600), "", "", "600 bytes"},
		{"no encoding", der(t, "00"), "", "", "neither"},
		{"bytes after the encoding", der(t, ed, "58", strings.Repeat("66", 31), "00"), "", "", "not a point of Ed25519"},
		{"a curve that no ledger here has", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p256})), "", "", "neither"},
		{"Ed25519 with parameters, a second encoding", der(t, "302c300706032b65700500032100", "58", strings.Repeat("66", 31)), "", "", "neither"},
		{"an Ed25519 key that is too short", der(t, "3029300506032b6570032000", "58", strings.Repeat("66", 30)), "", "", "neither"},
		{"an Ed25519 key that is no point: 2", der(t, ed, "02", zeros[2:]), "", "", "not a point of Ed25519"},
		{"a point of Ed25519 in a second encoding: the prime for 0", der(t, ed, "ed", strings.Repeat("ff", 30), "7f"), "", "", "not a point of Ed25519"},
		{"a point of Ed25519 in a second encoding: minus 0", der(t, ed, "01", zeros[4:], "80"), "", "", "not a point of Ed25519"},
		{"secp256k1 in its short form, a second text for a key", opensslCompressed, "", "", "neither"},
		{"a point of secp256k1 with another's y", der(t, secp, "04", gx, gx), "", "", "not a point of secp256k1"},
		{"0, 0 is no point of secp256k1", der(t, secp, "04", zeros, zeros), "", "", "not a point of secp256k1"},
		{"coordinates beyond the prime", der(t, secp, "04", strings.Repeat("ff", 32), gy), "", "", "not a point of secp256k1"},
	} {
		t.Run(row.why, func(t *testing.T) {
			key, err := ParsePublicKey(row.text)
			if row.want != "" {
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("%v, want %q", err, row.want)
				}
				return
			}
			if got := hex.EncodeToString(key.Bytes); err != nil || key.Kind != row.kind || got != strings.ReplaceAll(row.bytes, " ", "") {
				t.Errorf("%s %s, %v", key.Kind, got, err)
			}
		})
	}
}

func TestPublicKeyVerifies(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded})))
	if err != nil {
		t.Fatal(err)
	}
	signature := ed25519.Sign(private, []byte("yes"))
	if !key.Verify([]byte("yes"), signature) || key.Verify([]byte("no"), signature) || key.Verify([]byte("yes"), nil) {
		t.Error("its own signature, and no other, is the key's")
	}
	other, err := ParsePublicKey(opensslSecp256k1)
	if err != nil || other.Verify([]byte("yes"), signature) || (PublicKey{}).Verify([]byte("yes"), signature) {
		t.Errorf("a key of another kind verifies: %v", err)
	}
}

// FuzzParsePublicKey looks for a panic, and for two texts of one key.
func FuzzParsePublicKey(f *testing.F) {
	for _, text := range []string{opensslEd25519, opensslSecp256k1, opensslCompressed, ""} {
		f.Add([]byte(text))
		if block, _ := pem.Decode([]byte(text)); block != nil {
			f.Add(block.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, text := range []string{string(raw), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: raw}))} {
			key, err := ParsePublicKey(text)
			if err != nil {
				continue
			}
			block, _ := pem.Decode([]byte(text))
			switch key.Kind {
			case Ed25519:
				again, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(key.Bytes))
				if err != nil || !bytes.Equal(again, block.Bytes) {
					t.Fatalf("another text than the usual one: %x", block.Bytes)
				}
			case Secp256k1:
				if long := block.Bytes[len(block.Bytes)-65:]; !bytes.Equal(compressed(long), key.Bytes) || len(block.Bytes) != 88 {
					t.Fatalf("another text than the usual one: %x", block.Bytes)
				}
			default:
				t.Fatalf("kind %q", key.Kind)
			}
		}
	})
}
