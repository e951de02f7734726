//go:build fabric

package fabric_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// TestAdministration tries every certificate that an organization issues at its own orderer's administration: one opens
// it. What an application holds, or a node, opens nothing.
func TestAdministration(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", fabrictest.Shape{Name: "org1", Peers: 1, Orderers: 1})
	must(t, err)
	member := members[0]
	identities := fabric.New(fabric.Options{}).Identities(member.Plan)
	// Only the orderer runs: the peer is there to have certificates.
	node := member.Plan.Spec.Nodes[0]
	if member.Plan.Spec.Nodes = []v1alpha1.PlanNode{node}; node.Role != v1alpha1.RoleOrderer {
		t.Fatalf("the first node is a %s", node.Role)
	}
	network, err := fabrictest.NewNetwork(fabrictest.BuildFor(t, "../.."), members)
	must(t, err)
	t.Cleanup(func() { must(t, network.Close()) })
	must(t, network.Start(ctx))

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(member.Record.TLSRoots[0]))
	ask := func(certificate tls.Certificate) error {
		// Sent even where the server names other authorities than its own, which Go's client would not do by itself.
		send := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
		client := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return network.Dial(ctx, address) },
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, GetClientCertificate: send},
		}}
		url := fmt.Sprintf("https://%s:%d/participation/v1/channels", v1alpha1.NodeHost(node.Name, "trade"), v1alpha1.PortOrdererAdmin)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		must(t, err)
		response, err := client.Do(request)
		var network *net.OpError
		if errors.As(err, &network) && network.Op == "dial" {
			t.Fatalf("nobody was asked, so nothing is shown: %v", err)
		}
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %s", response.Status)
		}
		return nil
	}
	if err := ask(tls.Certificate{}); err == nil {
		t.Error("the administration opens without a certificate")
	}
	opened := 0
	for _, identity := range identities {
		err := ask(certificateOf(t, ctx, member, identity))
		switch identity.Name {
		case fabric.AdminTLSIdentity("org1"):
			must(t, err)
			opened++
		default:
			if err == nil {
				t.Errorf("%s opens the administration", identity.Name)
			}
			t.Logf("%s: %v", identity.Name, err)
		}
	}
	if opened != 1 {
		t.Errorf("%d certificates open the administration", opened)
	}
}

func certificateOf(t *testing.T, ctx context.Context, member *fabrictest.Member, identity ledger.Identity) tls.Certificate {
	t.Helper()
	pair, err := member.Keys(ctx, identity.Name)
	must(t, err)
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	must(t, err)
	return certificate
}
