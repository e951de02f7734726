package testcluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Authority is a CA of client certificates. An API server trusts it when it is its SecureServing.Authn; a controller
// manager can sign with it. envtest has one too, but keeps its key to itself.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority with its files in dir.
func NewAuthority(dir string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	a := &Authority{dir: dir, key: key}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	private, err := EncodeKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(a.KeyFile(), private, 0o600); err != nil {
		return nil, err
	}
	return a, os.WriteFile(a.CertFile(), encode("CERTIFICATE", der), 0o600)
}

// CertFile is the path of the authority's certificate in PEM, and KeyFile that of its key.
func (a *Authority) CertFile() string { return filepath.Join(a.dir, "ca.crt") }

// KeyFile is the path of the authority's key in PEM.
func (a *Authority) KeyFile() string { return filepath.Join(a.dir, "ca.key") }

// Sign issues a client certificate for a public key, in PEM, valid from now for lifetime.
func (a *Authority) Sign(subject pkix.Name, public crypto.PublicKey, lifetime time.Duration) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: subject,
		NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	return encode("CERTIFICATE", der), err
}

// Configure is what envtest asks of a way to authenticate, as are Start, AddUser and Stop.
func (a *Authority) Configure(_ string, args *envtest.Arguments) error {
	args.Set("client-ca-file", a.CertFile())
	return nil
}

// Start does nothing.
func (a *Authority) Start() error { return nil }

// Stop does nothing.
func (a *Authority) Stop() error { return nil }

// AddUser gives a user a certificate for a day.
func (a *Authority) AddUser(user envtest.User, base *rest.Config) (*rest.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := rest.CopyConfig(base)
	if c.KeyData, err = EncodeKey(key); err != nil {
		return nil, err
	}
	c.CertData, err = a.Sign(pkix.Name{CommonName: user.Name, Organization: user.Groups}, key.Public(), 24*time.Hour)
	return c, err
}

// EncodeKey is a key as PKCS #8 in PEM.
func EncodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return encode("PRIVATE KEY", der), err
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
