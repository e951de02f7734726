package statement

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// authority is a CA: an organization's root, or one below it.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newAuthority is a root, or under a parent an intermediate one.
func newAuthority(t testing.TB, name string, parent *authority) *authority {
	t.Helper()
	a := &authority{key: newKey(t, elliptic.P256())}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: today.AddDate(-1, 0, 0), NotAfter: today.AddDate(9, 0, 0),
	}
	if parent == nil {
		parent = &authority{cert: template, key: a.key}
	}
	a.cert = create(t, template, parent, &a.key.PublicKey)
	return a
}

// agent issues a certificate for an agent; edit may spoil it.
func (a *authority) agent(t testing.TB, member string, edit func(*x509.Certificate)) signing {
	t.Helper()
	return a.agentWithKey(t, member, newKey(t, elliptic.P256()), edit)
}

func (a *authority) agentWithKey(t testing.TB, member string, key *ecdsa.PrivateKey, edit func(*x509.Certificate)) signing {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{v1alpha1.AgentServerName(member)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   today.Add(-time.Hour), NotAfter: today.Add(24 * time.Hour),
	}
	if edit != nil {
		edit(template)
	}
	return signing{key: key, chain: text(create(t, template, a, &key.PublicKey))}
}

func create(t testing.TB, template *x509.Certificate, parent *authority, public *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, public, parent.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func text(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// signing is an agent's key and chain.
type signing struct {
	key   *ecdsa.PrivateKey
	chain string
}

// seal signs whatever it is given, as somebody would who does not mean well.
func (s signing) seal(t testing.TB, record v1alpha1.Record) *v1alpha1.StatementSpec {
	t.Helper()
	given, err := NewRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	return s.sign(t, given)
}

// sealPayload signs a record's payload as it is.
func (s signing) sealPayload(t testing.TB, payload []byte) *v1alpha1.StatementSpec {
	t.Helper()
	return s.sign(t, v1alpha1.StatementSpec{Member: "org1", Consortium: "trade", Kind: v1alpha1.StatementRecord, Sequence: 1, Payload: payload})
}

func (s signing) sign(t testing.TB, given v1alpha1.StatementSpec) *v1alpha1.StatementSpec {
	t.Helper()
	digest := sum(&given)
	// Without randomness the signature is the same every time (RFC 6979), which the fuzzer needs.
	sig, err := s.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	given.Certificates, given.Signature = s.chain, sig
	return &given
}
