package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// selfSigned makes a root; about half of all signatures have a high s.
func selfSigned(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func hasLowS(t *testing.T, certificate *x509.Certificate) bool {
	t.Helper()
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(certificate.Signature, &signature); err != nil {
		t.Fatal(err)
	}
	return signature.S.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) <= 0
}

func TestLowS(t *testing.T) {
	seen := map[bool]int{}
	for seen[true] == 0 || seen[false] == 0 {
		root := selfSigned(t)
		was := hasLowS(t, root)
		seen[was]++
		lowered, err := lowS(root)
		if err != nil {
			t.Fatal(err)
		}
		if !hasLowS(t, lowered) || lowered.CheckSignatureFrom(lowered) != nil || lowered.CheckSignatureFrom(root) != nil {
			t.Fatal("the signature is not low, or not valid any more")
		}
		if was != bytes.Equal(root.Raw, lowered.Raw) || !bytes.Equal(root.RawTBSCertificate, lowered.RawTBSCertificate) {
			t.Fatal("more was changed than the signature's form")
		}
	}
}
