package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// clientTLS is the prober's configuration: the far gateway must prove to be the member's by the member's own root.
func (g *gateway) clientTLS(member string) (*tls.Config, error) {
	pool := g.table.Load().pools[member]
	if pool == nil {
		return nil, fmt.Errorf("the root of member %s is not known yet, so its gateway cannot be authenticated: wait until the member has published it", member)
	}
	cert, err := g.keys.get()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		RootCAs:            pool,
		ServerName:         v1alpha1.GatewayServerName(member),
		Certificates:       []tls.Certificate{*cert},
		ClientSessionCache: nil, // no resumption: each connection is proven anew
	}, nil
}

// serverTLS is the configuration for a far prober: TLS 1.3, with a certificate that chains to its own member's root.
func (g *gateway) serverTLS(t *table) (*tls.Config, error) {
	cert, err := g.keys.get()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{*cert},
		ClientAuth:             tls.RequireAndVerifyClientCert,
		ClientCAs:              t.allRoots,
		SessionTicketsDisabled: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			_, err := t.authenticate(s)
			return err
		},
	}, nil
}

// authenticate finds the member whose gateway or agent the client is. Its certificate must chain to that member's root:
// every root is trusted for its own member only.
func (t *table) authenticate(s tls.ConnectionState) (string, error) {
	if len(s.PeerCertificates) == 0 {
		return "", errors.New("the client shows no certificate")
	}
	leaf := s.PeerCertificates[0]
	intermediates := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	for _, name := range leaf.DNSNames {
		member, ok := memberOf(name)
		if !ok || t.pools[member] == nil {
			continue
		}
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: t.pools[member], Intermediates: intermediates,
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err == nil {
			return member, nil
		}
	}
	return "", fmt.Errorf("no certificate chain to the root of a member with the names %v", leaf.DNSNames)
}

// memberOf reads the member out of gateway.MEMBER.hanse or agent.MEMBER.hanse.
func memberOf(name string) (string, bool) {
	kind, rest, _ := strings.Cut(name, ".")
	member, ok := strings.CutSuffix(rest, ".hanse")
	if !ok || kind != "gateway" && kind != "agent" || !v1alpha1.IsLabel(member) {
		return "", false
	}
	return member, true
}
