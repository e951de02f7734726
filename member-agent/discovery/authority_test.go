package discovery

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// organization is a Member with a root and an agent's certificate of its own.
type organization struct {
	name  string
	root  *x509.Certificate
	key   *ecdsa.PrivateKey
	agent tls.Certificate
}

func newOrganization(t testing.TB, name string) *organization {
	t.Helper()
	o := &organization{name: name, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name + " root"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	o.root = issue(t, template, template, &o.key.PublicKey, o.key)
	o.agent = o.certify(t, name)
	return o
}

// certify issues a certificate of the agent of any member: an organization can write what it likes into its own.
func (o *organization) certify(t testing.TB, member string) tls.Certificate {
	t.Helper()
	return o.certifyUntil(t, member, time.Now().Add(12*time.Hour))
}

func (o *organization) certifyUntil(t testing.TB, member string, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	leaf := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{v1alpha1.AgentServerName(member)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: until,
	}, o.root, &key.PublicKey, o.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func (o *organization) rootPEM() string { return certPEM(o.root.Raw) }

func (o *organization) peer() Peer { return Peer{Name: o.name, RootPEM: o.rootPEM()} }

func (o *organization) certificate() (*tls.Certificate, error) { return &o.agent, nil }

// record is signed by the organization's own agent, whatever it says.
func (o *organization) record(t testing.TB, consortium string, sequence int64) v1alpha1.StatementSpec {
	t.Helper()
	env, err := o.sign(v1alpha1.Record{
		Member: o.name, Consortium: consortium, Sequence: sequence,
		Nodes:         []v1alpha1.RecordNode{{Name: "peer0-" + o.name, Role: v1alpha1.RolePeer, Port: v1alpha1.PortPeer}},
		IdentityRoots: []string{o.rootPEM()}, TLSRoots: []string{o.rootPEM()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func (o *organization) sign(record v1alpha1.Record) (v1alpha1.StatementSpec, error) {
	unsigned, err := statement.NewRecord(record)
	if err != nil {
		return unsigned, err
	}
	return o.signAny(unsigned)
}

func (o *organization) signAny(s v1alpha1.StatementSpec) (v1alpha1.StatementSpec, error) {
	return statement.Sign(o.agent.PrivateKey.(*ecdsa.PrivateKey), certPEM(o.agent.Certificate[0]), s, statement.Content)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func issue(t testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func certPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (o *organization) noDial(context.Context, string) (net.Conn, error) {
	return nil, errors.New("there is no network here")
}

// noListener is for a Discovery that never runs.
type noListener struct{ net.Listener }
