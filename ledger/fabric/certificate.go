package fabric

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxRoots is how many roots of one kind an organization may publish: two while one replaces the other, and some.
const maxRoots = 8

// parseCertificate reads one certificate in PEM; what follows it is ignored.
func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("not a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// parseRoots parses a Member's published CAs, and rejects what Fabric's MSP would reject later, at every node of the
// channel at once.
func parseRoots(texts []string) ([]*x509.Certificate, error) {
	if len(texts) == 0 {
		return nil, errors.New("there is none")
	}
	if len(texts) > maxRoots {
		return nil, fmt.Errorf("there are %d, which is more than %d", len(texts), maxRoots)
	}
	var roots []*x509.Certificate
	for i, text := range texts {
		root, err := parseCertificate([]byte(text))
		switch {
		case err != nil:
			return nil, fmt.Errorf("number %d: %w", i+1, err)
		case !root.IsCA || !root.BasicConstraintsValid || root.KeyUsage&x509.KeyUsageCertSign == 0:
			return nil, fmt.Errorf("number %d is not a CA certificate", i+1)
		case len(root.SubjectKeyId) == 0:
			return nil, fmt.Errorf("number %d has no subject key identifier", i+1)
		}
		roots = append(roots, root)
	}
	return roots, nil
}

// sameKeyAndAuthority is whether one certificate is a renewal of the other: the same public key, issued by one of the
// roots. Consenters are known by their key, so a renewal does not change who orders.
func sameKeyAndAuthority(renewed, known *x509.Certificate, roots []*x509.Certificate) bool {
	if !bytes.Equal(renewed.RawSubjectPublicKeyInfo, known.RawSubjectPublicKeyInfo) {
		return false
	}
	for _, root := range roots {
		if renewed.CheckSignatureFrom(root) == nil {
			return true
		}
	}
	return false
}

func pool(roots []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, root := range roots {
		pool.AddCert(root)
	}
	return pool
}
