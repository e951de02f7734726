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
	"net"
	"os"
	"slices"
)

// Leaf says what a certificate is for.
type Leaf struct {
	Name         string // of its files
	CommonName   string
	Organization []string
	Hosts        []string // names and addresses that it serves under; none for a mere client
	Client       bool     // whether it may also be shown by a client
}

// Ensure makes the certificate, unless the one on disk already says the same.
func (a *Authority) Ensure(leaf Leaf) error {
	cert, key, err := read(a.dir, leaf.Name)
	switch {
	case err == nil && a.matches(cert, leaf):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("certificate %s: %w", leaf.Name, err)
	}
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return err
		}
	}
	if cert, err = a.sign(template(leaf, a), key.Public()); err != nil {
		return fmt.Errorf("certificate %s: %w", leaf.Name, err)
	}
	return save(a.dir, leaf.Name, cert, key)
}

func template(leaf Leaf, a *Authority) *x509.Certificate {
	t := &x509.Certificate{
		Subject:  pkix.Name{CommonName: leaf.CommonName, Organization: leaf.Organization},
		NotAfter: a.now().Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if leaf.Client {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	if len(leaf.Hosts) > 0 {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	t.DNSNames, t.IPAddresses = split(leaf.Hosts)
	return t
}

// matches is what makes a new host name or address on a server lead to a new certificate, and nothing else.
func (a *Authority) matches(cert *x509.Certificate, leaf Leaf) bool {
	names, addresses := split(leaf.Hosts)
	same := func(x, y net.IP) bool { return x.Equal(y) }
	return cert.CheckSignatureFrom(a.cert) == nil &&
		cert.Subject.CommonName == leaf.CommonName &&
		slices.Equal(cert.Subject.Organization, leaf.Organization) &&
		slices.Equal(cert.DNSNames, names) &&
		slices.EqualFunc(cert.IPAddresses, addresses, same) &&
		a.now().Before(cert.NotAfter)
}

func split(hosts []string) (names []string, addresses []net.IP) {
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			addresses = append(addresses, ip)
		} else {
			names = append(names, h)
		}
	}
	return names, addresses
}

// ServiceAccountKey makes the key pair that signs service accounts' tokens: sa.key and sa.pub.
func ServiceAccountKey(dir string) error {
	private := KeyFile(dir, "sa")
	if _, err := os.Stat(dir + "/sa.pub"); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := saveKey(private, key); err != nil {
		return err
	}
	return savePublic(dir+"/sa.pub", key.Public())
}

func savePublic(file string, key crypto.PublicKey) error {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	return replace(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}
