package ledgertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// Client is a client identity of an organization.
type Client struct {
	// MSP is the organization's MSP id.
	MSP     string
	creator []byte
}

// NewClient makes a client with a certificate of its own. The peer checks
// certificates before a chaincode sees them, so a self-signed one will do here.
func NewClient(t testing.TB, mspID, name string) Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name, OrganizationalUnit: []string{"client"}},
		NotBefore:    Epoch, NotAfter: Epoch.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return Raw(t, mspID, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Raw makes a client out of any identity bytes, to show a contract something that is no certificate.
func Raw(t testing.TB, mspID string, idBytes []byte) Client {
	t.Helper()
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: idBytes})
	if err != nil {
		t.Fatal(err)
	}
	return Client{MSP: mspID, creator: creator}
}
