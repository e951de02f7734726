package fabric_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// ordererPair is the TLS certificate of a Member's first orderer, with its key.
func ordererPair(t *testing.T, member *fabrictest.Member) tls.Certificate {
	t.Helper()
	pair, err := member.Keys(t.Context(), "orderer0-"+member.Plan.Spec.Member+"-tls")
	must(t, err)
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	must(t, err)
	return certificate
}

// TestNoOrdererStaysNameless: an orderer that dials another one, as Fabric does, either shows its certificate or is turned
// away, so that it dials again. A connection without a certificate would last, and each message on it be refused.
func TestNoOrdererStaysNameless(t *testing.T) {
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	for _, row := range []struct {
		why     string
		known   []*fabrictest.Member // whose channels the server has joined
		welcome bool
	}{
		{"before it has joined any channel", nil, false},
		{"after it has joined one without the client's organization", members[1:], false},
		{"after it has joined one with it", members, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			var authorities *x509.CertPool
			for _, member := range row.known {
				if authorities == nil {
					authorities = x509.NewCertPool()
				}
				authorities.AppendCertsFromPEM([]byte(member.Roots()[ledger.TLSAuthority][0]))
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM([]byte(members[1].Roots()[ledger.TLSAuthority][0]))
			here, there := net.Pipe()
			defer here.Close()
			defer there.Close()
			// As Fabric's orderer listens, where clients without a certificate come too.
			server := tls.Server(there, &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{ordererPair(t, members[1])},
				ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: authorities,
			})
			client := tls.Client(here, &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{ordererPair(t, members[0])},
				RootCAs: roots, ServerName: "orderer0-org2.hanse-trade",
			})
			done := make(chan struct{})
			go func() {
				defer close(done)
				if client.HandshakeContext(t.Context()) == nil {
					_, _ = client.Read(make([]byte, 1)) // in TLS 1.3 the answer to the certificate comes after the handshake
				}
			}()
			refused := server.HandshakeContext(t.Context())
			shown := len(server.ConnectionState().PeerCertificates) > 0
			_ = there.Close()
			<-done
			if refused == nil && !shown {
				t.Error("it is connected, and nameless")
			}
			if welcome := refused == nil; welcome != row.welcome {
				t.Errorf("welcome: %t, %v", welcome, refused)
			}
		})
	}
}
