package fabric

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

func packed(t *testing.T, message proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// signedBy is a peer's endorsement, without the signature, which whoever committed the block has checked.
func signedBy(t *testing.T, mspID, node string) *peer.Endorsement {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: node}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	identity := &msp.SerializedIdentity{Mspid: mspID, IdBytes: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	return &peer.Endorsement{Endorser: packed(t, identity)}
}

func transactionOf(t *testing.T, id string, actions int, endorsements ...*peer.Endorsement) []byte {
	t.Helper()
	transaction := &peer.Transaction{}
	for range actions {
		transaction.Actions = append(transaction.Actions, &peer.TransactionAction{Payload: packed(t, &peer.ChaincodeActionPayload{
			Action: &peer.ChaincodeEndorsedAction{Endorsements: endorsements},
		})})
	}
	return packed(t, &common.Envelope{Payload: packed(t, &common.Payload{
		Header: &common.Header{ChannelHeader: packed(t, &common.ChannelHeader{TxId: id})}, Data: packed(t, transaction),
	})})
}

func TestReceipt(t *testing.T) {
	one, two := signedBy(t, "org1MSP", "peer0-org1"), signedBy(t, "org3MSP", "peer1-org3")
	nobody := &peer.Endorsement{Endorser: packed(t, &msp.SerializedIdentity{Mspid: "org2MSP", IdBytes: []byte("x")})}
	for _, row := range []struct {
		why  string
		data [][]byte
		want string // of the receipt, or of the error
		ok   bool
	}{
		{"among others", [][]byte{transactionOf(t, "other", 1, two), transactionOf(t, "mine", 1, one, two)},
			"endorsed by org1 (peer0-org1) and org3 (peer1-org3), says block 7 of transaction mine", true},
		{"not in this block", [][]byte{transactionOf(t, "other", 1, two)}, "not there", false},
		{"an empty block", nil, "not there", false},
		{"no call of a contract", [][]byte{transactionOf(t, "mine", 0)}, "0 actions", false},
		{"a certificate that is none", [][]byte{transactionOf(t, "mine", 1, nobody)}, "endorser of org2MSP", false},
		{"no envelope", [][]byte{{0xff}}, "proto", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			block := &common.Block{Header: &common.BlockHeader{Number: 7}, Data: &common.BlockData{Data: row.data}}
			receipt, err := readReceipt(packed(t, block), "mine")
			got := receipt.String()
			if err != nil {
				got = err.Error()
			}
			if (err == nil) != row.ok || !strings.Contains(got, row.want) {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}
