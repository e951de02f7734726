package discovery

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

var errUnauthenticated = errors.New("the certificate is not that of a known member's agent")

// caller is the authenticated client of an incoming connection.
type caller struct {
	member string
	roots  []*x509.Certificate // that its certificate chains to
}

// chainsTo is whether the caller's certificate chains to one of these roots.
func (c caller) chainsTo(roots []*x509.Certificate) bool {
	return slices.ContainsFunc(roots, func(r *x509.Certificate) bool {
		return slices.ContainsFunc(c.roots, r.Equal)
	})
}

// trust is an immutable snapshot of the pinned roots of all groups' members.
type trust struct {
	pool  *x509.CertPool
	roots map[string][]*x509.Certificate // by member
	keys  map[sessionKey]bool
}

func newTrust() *trust {
	return &trust{pool: x509.NewCertPool(), roots: map[string][]*x509.Certificate{}, keys: map[sessionKey]bool{}}
}

func (t *trust) add(p *peer) {
	if t.keys[p.key()] {
		return
	}
	t.keys[p.key()] = true
	for _, r := range p.roots {
		t.pool.AddCert(r)
	}
	t.roots[p.name] = append(t.roots[p.name], p.roots...)
}

// isCurrent is whether a connection was accepted with the roots that its member has in the groups now.
func (t *trust) isCurrent(a *accepted) bool {
	now := t.roots[a.who.member]
	return len(now) == len(a.known) && !slices.ContainsFunc(now, func(r *x509.Certificate) bool {
		return !slices.ContainsFunc(a.known, r.Equal)
	})
}

// expiry is when a verified certificate chain expires; of several the last one counts.
func expiry(cs tls.ConnectionState) time.Time {
	var last time.Time
	for _, chain := range cs.VerifiedChains {
		first := chain[0].NotAfter
		for _, c := range chain[1:] {
			if c.NotAfter.Before(first) {
				first = c.NotAfter
			}
		}
		if first.After(last) {
			last = first
		}
	}
	return last
}

// identify finds the Member whose agent's name the certificate has and whose own root it chains to. A chain to any root
// of the pool is not enough: each organization can issue certificates for any name.
func (t *trust) identify(cs tls.ConnectionState) (caller, error) {
	if len(cs.PeerCertificates) == 0 {
		return caller{}, errUnauthenticated
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
		if c.chainsTo(roots) {
			return c, nil
		}
	}
	return caller{}, errUnauthenticated
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
				return fmt.Errorf("the client does not support protocol %s", protocol)
			}
			_, err := t.identify(cs)
			return err
		},
	}
}

// clientConfig is for connections to one Member, which is verified by its own root only.
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
