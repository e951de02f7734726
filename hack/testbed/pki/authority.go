package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
)

// Authority signs certificates and keeps its files in a directory: <name>.crt and <name>.key.
type Authority struct {
	dir  string
	name string
	cert *x509.Certificate
	key  crypto.Signer
	now  func() time.Time
}

// NewAuthority opens the authority of that name in the directory, or makes it.
func NewAuthority(dir, name, commonName string, now func() time.Time) (*Authority, error) {
	a := &Authority{dir: dir, name: name, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	cert, key, err := read(dir, name)
	switch {
	case err == nil:
		a.cert, a.key = cert, key
		return a, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open authority %s: %w", name, err)
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: commonName},
		NotAfter:              now().Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	a.cert = template
	if a.cert, err = a.sign(template, a.key.Public()); err != nil {
		return nil, fmt.Errorf("make authority %s: %w", name, err)
	}
	return a, save(dir, name, a.cert, a.key)
}

// CertificateFile is where the certificate of that name in the directory is kept.
func CertificateFile(dir, name string) string { return filepath.Join(dir, name+".crt") }

// KeyFile is where the private key of that name in the directory is kept.
func KeyFile(dir, name string) string { return filepath.Join(dir, name+".key") }

// sign signs a template; the template that is the authority's own certificate gets self-signed.
func (a *Authority) sign(template *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = a.now().Add(-time.Minute) // other clocks may be a little behind
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func read(dir, name string) (*x509.Certificate, crypto.Signer, error) {
	certPEM, err := os.ReadFile(CertificateFile(dir, name))
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := os.ReadFile(KeyFile(dir, name))
	if err != nil {
		return nil, nil, err
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, nil, fmt.Errorf("%s/%s: no PEM in the certificate or key file", dir, name)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("%s/%s: the key cannot sign", dir, name)
	}
	return cert, signer, nil
}

// save writes the key first: a certificate on disk means that its key is there too, even after a crash.
func save(dir, name string, cert *x509.Certificate, key crypto.Signer) error {
	if err := saveKey(KeyFile(dir, name), key); err != nil {
		return err
	}
	return replace(CertificateFile(dir, name),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o644)
}

func saveKey(file string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return replace(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// replace writes a file so that a reader sees the old content or the new, never a part.
func replace(file string, content []byte, mode os.FileMode) error {
	if err := os.WriteFile(file+".new", content, mode); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
