package statement

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// maxChain is the number of certificates that a signer may show.
	maxChain = 4
	// maxRoots is the number of certificates that a pinned root may consist of.
	maxRoots = 4
	// maxCertificateBytes bounds one PEM certificate.
	maxCertificateBytes = 16 << 10
	// skew is how far the clocks of two organizations may be apart.
	skew = 5 * time.Minute
)

// ParseCertificates reads nothing but certificates, at least one and at most limit, from a PEM text.
func ParseCertificates(text string, limit int) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := strings.TrimSpace(text); rest != ""; {
		block, after := pem.Decode([]byte(rest))
		switch {
		case block == nil:
			return nil, errors.New("not PEM")
		case !strings.HasPrefix(rest, "-----BEGIN "):
			// pem.Decode skips what it does not understand, which would let two readers see two different texts.
			return nil, errors.New("text before a PEM block")
		case block.Type != "CERTIFICATE":
			return nil, fmt.Errorf("a PEM block of type %.40q where only CERTIFICATE may be", block.Type)
		case len(certs) == limit:
			return nil, fmt.Errorf("more than %d certificates", limit)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
		rest = strings.TrimSpace(string(after))
	}
	if len(certs) == 0 {
		return nil, errors.New("no certificate")
	}
	return certs, nil
}

// ParseRoot reads a Member's pinned root.
func ParseRoot(rootPEM string) ([]*x509.Certificate, error) {
	if len(rootPEM) > maxRoots*maxCertificateBytes {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrNoRoot, len(rootPEM))
	}
	roots, err := ParseCertificates(rootPEM, maxRoots)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRoot, err)
	}
	return roots, nil
}

// Expiry is when the certificate that a statement was signed with ends. It does not say that the statement is genuine.
func Expiry(env *v1alpha1.StatementSpec) (time.Time, error) {
	chain, err := parseChain(env.Certificates)
	if err != nil {
		return time.Time{}, err
	}
	return chain[0].NotAfter, nil
}

func parseChain(text string) ([]*x509.Certificate, error) {
	if len(text) > maxChain*maxCertificateBytes {
		return nil, fmt.Errorf("%w: %d bytes of certificates", ErrTooLarge, len(text))
	}
	chain, err := ParseCertificates(text, maxChain)
	if err != nil {
		return nil, fmt.Errorf("%w: certificates: %w", ErrMalformed, err)
	}
	return chain, nil
}

// IssuedAt is when the certificate that a statement was signed with began to be valid. It does not say that the statement is
// genuine.
func IssuedAt(s *v1alpha1.StatementSpec) (time.Time, error) {
	chain, err := parseChain(s.Certificates)
	if err != nil {
		return time.Time{}, err
	}
	return chain[0].NotBefore, nil
}

// signer checks who signed: a certificate with this name, under the Member's own root and no other.
func signer(chain, roots []*x509.Certificate, name string, now time.Time) (*ecdsa.PublicKey, error) {
	leaf := chain[0]
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: within(leaf, now), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for _, c := range roots {
		opts.Roots.AddCert(c)
	}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(opts); err != nil {
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			return nil, fmt.Errorf("%w: %w", ErrExpired, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	if err := leaf.VerifyHostname(name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrongSigner, err)
	}
	if leaf.IsCA || (leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0) {
		return nil, fmt.Errorf("%w: the certificate is not one for signing", ErrWrongSigner)
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: the key is not ECDSA P-256", ErrWrongSigner)
	}
	return key, nil
}

// within forgives the difference between two clocks at either end of a certificate's life.
func within(leaf *x509.Certificate, now time.Time) time.Time {
	if now.Before(leaf.NotBefore) && leaf.NotBefore.Sub(now) <= skew {
		return leaf.NotBefore
	}
	if now.After(leaf.NotAfter) && now.Sub(leaf.NotAfter) <= skew {
		return leaf.NotAfter
	}
	return now
}
