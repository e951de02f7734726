package fabrictest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"time"

	"github.com/hanse-io/hanse/ledger"
)

// Authority is a CA as cert-manager makes one: self-signed, ECDSA P-256.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// PEM of its certificate.
	PEM []byte
}

// NewAuthority makes a CA.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	return &Authority{certificate: certificate, key: key, PEM: certificatePEM(raw)}, nil
}

// Issue issues an identity.
func (a *Authority) Issue(identity ledger.Identity) (ledger.KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ledger.KeyPair{}, err
	}
	return a.issueFor(identity, key)
}

// Renew issues an identity anew with the same key, as cert-manager does under rotationPolicy Never.
func (a *Authority) Renew(identity ledger.Identity, pair ledger.KeyPair) (ledger.KeyPair, error) {
	block, _ := pem.Decode(pair.Key)
	if block == nil {
		return ledger.KeyPair{}, errors.New("there is no key to renew with")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return ledger.KeyPair{}, err
	}
	return a.issueFor(identity, key.(*ecdsa.PrivateKey))
}

func (a *Authority) issueFor(identity ledger.Identity, key *ecdsa.PrivateKey) (ledger.KeyPair, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: identity.CommonName, OrganizationalUnit: identity.OrganizationalUnits},
		NotBefore:    time.Now().Add(-time.Minute), NotAfter: time.Now().Add(12 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: identity.DNSNames, BasicConstraintsValid: true,
	}
	for _, address := range identity.IPAddresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	if identity.Server {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if identity.Client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return ledger.KeyPair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ledger.KeyPair{}, err
	}
	return ledger.KeyPair{
		Certificate: certificatePEM(raw), CA: a.PEM,
		Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, nil
}

func certificatePEM(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}
