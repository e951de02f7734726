package discovery

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

var errStranger = errors.New("certificate is not that of the agent of a known member")

// caller is who is at the other end of an incoming connection, as its certificate proves.
type caller struct {
	member string
	roots  []*x509.Certificate // that its certificate chains to
}

// known is whether one of the roots that the caller was checked against is one of these.
func (c caller) known(roots []*x509.Certificate) bool {
	return slices.ContainsFunc(roots, func(r *x509.Certificate) bool {
		return slices.ContainsFunc(c.roots, r.Equal)
	})
}

// trust is an immutable snapshot of the pinned roots of everybody in any ring.
type trust struct {
	pool  *x509.CertPool
	roots map[string][]*x509.Certificate // by member
}

func newTrust() *trust {
	return &trust{pool: x509.NewCertPool(), roots: map[string][]*x509.Certificate{}}
}

func (t *trust) add(member string, roots []*x509.Certificate) {
	for _, r := range roots {
		t.pool.AddCert(r)
	}
	t.roots[member] = append(t.roots[member], roots...)
}

// identify finds the Member whose agent's name the certificate carries and whose own root it chains to. That some
// root in the pool has certified it is not enough: each organization could name itself as it likes.
func (t *trust) identify(cs tls.ConnectionState) (caller, error) {
	if len(cs.PeerCertificates) == 0 {
		return caller{}, errStranger
	}
	leaf := cs.PeerCertificates[0]
	for member, roots := range t.roots {
		if leaf.VerifyHostname(v1alpha1.AgentServerName(member)) != nil {
			continue
		}
		c := caller{member: member}
		for _, chain := range cs.VerifiedChains {
			c.roots = append(c.roots, chain[len(chain)-1])
		}
		if c.known(roots) {
			return c, nil
		}
	}
	return caller{}, errStranger
}

// serverConfig is for one incoming connection.
func (t *trust) serverConfig(certificate func() (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{protocol},
		ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs:  t.pool,
		// A ticket would outlive a change of the roots.
		SessionTicketsDisabled: true,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate() },
		VerifyConnection: func(cs tls.ConnectionState) error {
			if cs.NegotiatedProtocol != protocol {
				return fmt.Errorf("the caller does not speak %s", protocol)
			}
			_, err := t.identify(cs)
			return err
		},
	}
}

// clientConfig is for calling one Member, known by its own root only.
func clientConfig(member string, roots []*x509.Certificate, certificate func() (*tls.Certificate, error)) *tls.Config {
	pool := x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r)
	}
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		NextProtos:           []string{protocol},
		ServerName:           v1alpha1.AgentServerName(member),
		RootCAs:              pool,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate() },
	}
}
