package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hanse-io/hanse/ledger"
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

// called is the entry of a call that puts one thing into the state of contract notary, and hashes of another one into a
// collection.
func called(t *testing.T, id string, at time.Time, creator *peer.Endorsement, endorsements ...*peer.Endorsement) []byte {
	t.Helper()
	public := &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "bill", Value: []byte("paid")}, {Key: "old", IsDelete: true}}}
	private := &kvrwset.HashedRWSet{HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: []byte("k"), ValueHash: []byte("v")}}}
	results := &rwset.TxReadWriteSet{NsRwset: []*rwset.NsReadWriteSet{{
		Namespace: "notary", Rwset: packed(t, public),
		CollectionHashedRwset: []*rwset.CollectionHashedReadWriteSet{{CollectionName: "offers", HashedRwset: packed(t, private)}},
	}}}
	response := &peer.ProposalResponsePayload{Extension: packed(t, &peer.ChaincodeAction{
		Results: packed(t, results), Response: &peer.Response{Status: 200, Payload: []byte("done")}, ChaincodeId: &peer.ChaincodeID{Name: "notary"},
		Events: packed(t, &peer.ChaincodeEvent{ChaincodeId: "notary", EventName: "put", Payload: []byte("bill")}),
	})}
	input := &peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		ChaincodeId: &peer.ChaincodeID{Name: "notary"}, Input: &peer.ChaincodeInput{Args: [][]byte{[]byte("Put"), []byte("bill"), {0xff}}},
	}}
	action := &peer.ChaincodeActionPayload{
		ChaincodeProposalPayload: packed(t, &peer.ChaincodeProposalPayload{Input: packed(t, input)}),
		Action:                   &peer.ChaincodeEndorsedAction{ProposalResponsePayload: packed(t, response), Endorsements: endorsements},
	}
	return entryOf(t, common.HeaderType_ENDORSER_TRANSACTION, id, at, creator, &peer.Transaction{Actions: []*peer.TransactionAction{{Payload: packed(t, action)}}})
}

func entryOf(t *testing.T, kind common.HeaderType, id string, at time.Time, creator *peer.Endorsement, data proto.Message) []byte {
	t.Helper()
	return packed(t, &common.Envelope{Payload: packed(t, &common.Payload{
		Header: &common.Header{
			ChannelHeader:   packed(t, &common.ChannelHeader{Type: int32(kind), TxId: id, Timestamp: timestamppb.New(at)}),
			SignatureHeader: packed(t, &common.SignatureHeader{Creator: creator.GetEndorser()}),
		},
		Data: packed(t, data),
	})})
}

// sealed is a block with these entries, and a validation code for each.
func sealed(number uint64, codes []byte, entries ...[]byte) *common.Block {
	data := sha256.Sum256(bytes.Join(entries, nil))
	return &common.Block{
		Header:   &common.BlockHeader{Number: number, PreviousHash: []byte("before"), DataHash: data[:]},
		Data:     &common.BlockData{Data: entries},
		Metadata: &common.BlockMetadata{Metadata: [][]byte{nil, nil, codes}},
	}
}

func TestReadBlock(t *testing.T) {
	user, one, two := signedBy(t, "org1MSP", "user-org1"), signedBy(t, "org1MSP", "peer0-org1"), signedBy(t, "TradersMSP", "peer1-org3")
	early, late := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	block := sealed(7, []byte{byte(peer.TxValidationCode_VALID), byte(peer.TxValidationCode_MVCC_READ_CONFLICT)},
		called(t, "mine", late, user, one, two), called(t, "too late", early, user, one))
	members := func(id string) string {
		if id == "TradersMSP" {
			return "org3"
		}
		return memberOfMSPID(id)
	}
	got, err := readBlock(block, members)
	if err != nil {
		t.Fatal(err)
	}
	mine := ledger.Transaction{
		ID: "mine", Block: 7, Type: ledger.TypeCall, Time: late, Valid: true, Code: "VALID",
		Creator:  ledger.Signer{Member: "org1", Name: "user-org1", Subject: "CN=user-org1"},
		Contract: "notary", Function: "Put", Arguments: [][]byte{[]byte("bill"), {0xff}}, Answer: []byte("done"),
		Event: &ledger.Event{Contract: "notary", Name: "put", Payload: []byte("bill"), Transaction: "mine", Block: 7},
		Writes: []ledger.Write{
			{Contract: "notary", Key: "bill", Value: []byte("paid")}, {Contract: "notary", Key: "old", Deleted: true},
			{Contract: "notary", Collection: "offers", KeyHash: []byte("k"), ValueHash: []byte("v")},
		},
		Endorsers: []ledger.Signer{
			{Member: "org1", Name: "peer0-org1", Subject: "CN=peer0-org1"}, {Member: "org3", Name: "peer1-org3", Subject: "CN=peer1-org3"},
		},
	}
	if diff := cmp.Diff(mine, got.Transactions[0]); diff != "" {
		t.Error(diff)
	}
	if other := got.Transactions[1]; other.Valid || other.Code != "MVCC_READ_CONFLICT" || other.Index != 1 || len(other.Endorsers) != 1 {
		t.Errorf("the other one reads as %+v", other)
	}
	if !got.Time.Equal(late) || got.Number != 7 || string(got.PreviousHash) != "before" {
		t.Errorf("the block reads as %+v", got)
	}
	// A client that reads the next block compares this hash with what that one names.
	if want, _ := headerSum(block.GetHeader()); !bytes.Equal(got.Hash, want) {
		t.Errorf("hash %x, want %x", got.Hash, want)
	}
}

// TestReadOddTransactions: a peer commits whatever was ordered, and marks what is none.
func TestReadOddTransactions(t *testing.T) {
	user := signedBy(t, "org1MSP", "user-org1")
	nobody := &peer.Endorsement{Endorser: packed(t, &msp.SerializedIdentity{Mspid: "org2MSP", IdBytes: []byte("x")})}
	now := time.Now()
	many := make([]*peer.Endorsement, maxEndorsers+1)
	for i := range many {
		many[i] = user
	}
	for _, row := range []struct {
		why     string
		entry   []byte
		kind    ledger.TransactionType
		problem string
	}{
		{"no envelope", []byte{0xff}, ledger.TypeOther, "its envelope"},
		{"nothing at all", nil, ledger.TypeOther, ""},
		{"a configuration", entryOf(t, common.HeaderType_CONFIG, "", now, user, &common.ConfigEnvelope{}), ledger.TypeConfiguration, ""},
		{"no call of a contract", entryOf(t, common.HeaderType_ENDORSER_TRANSACTION, "mine", now, user, &peer.Transaction{}), ledger.TypeCall, "0 actions"},
		{"another kind", entryOf(t, common.HeaderType_MESSAGE, "mine", now, user, &peer.Transaction{}), ledger.TypeOther, ""},
		{"an endorser whose certificate is none", called(t, "mine", now, user, nobody), ledger.TypeCall, "its endorsers: the certificate of somebody of org2"},
		{"a creator whose certificate is none", called(t, "mine", now, nobody, user), ledger.TypeCall, "its creator: the certificate of somebody of org2"},
		{"too many endorsers", called(t, "mine", now, user, many...), ledger.TypeCall, "1025 endorsements"},
	} {
		block, err := readBlock(sealed(9, nil, row.entry), memberOfMSPID)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		got := block.Transactions[0]
		if got.Type != row.kind || (row.problem == "") != (got.Problem == "") || !strings.Contains(got.Problem, row.problem) {
			t.Errorf("%s: %+v", row.why, got)
		}
		if got.Valid || got.Code != "NOT_VALIDATED" {
			t.Errorf("%s: it counts as %s without a word of the peer", row.why, got.Code)
		}
	}
}

func TestMalformedBlocks(t *testing.T) {
	entry := called(t, "mine", time.Now(), signedBy(t, "org1MSP", "user-org1"))
	other := sealed(7, nil, entry)
	other.Data.Data = append(other.Data.Data, entry)
	for _, row := range []struct {
		why string
		raw []byte
	}{
		{"no block", []byte{0xff}},
		{"nothing", nil},
		{"other data than its header says", packed(t, other)},
		{"more bytes than a node may send", make([]byte, maxBlockBytes+1)},
		{"more transactions than anybody orders", packed(t, sealed(7, nil, make([][]byte, maxTransactions+1)...))},
	} {
		block, err := unmarshalBlock(row.raw)
		if err == nil {
			_, err = readBlock(block, memberOfMSPID)
		}
		if !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

// TestReadFirstBlock reads one that an orderer has taken.
func TestReadFirstBlock(t *testing.T) {
	raw, err := os.ReadFile("testdata/genesis.block")
	if err != nil {
		t.Fatal(err)
	}
	block, err := unmarshalBlock(raw)
	if err != nil {
		t.Fatal(err)
	}
	read, err := readBlock(block, memberOfMSPID)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Transactions) != 1 || read.Number != 0 || read.Transactions[0].Type != ledger.TypeConfiguration || !read.Transactions[0].Valid {
		t.Errorf("the first block reads as %+v", read)
	}
}

// FuzzBlock reads what is no block, and transactions that are none.
func FuzzBlock(f *testing.F) {
	raw, err := os.ReadFile("testdata/genesis.block")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if block, err := unmarshalBlock(data); err == nil {
			read, err := readBlock(block, memberOfMSPID)
			if err == nil && len(read.Transactions) != len(block.GetData().GetData()) {
				t.Errorf("%d transactions of %d", len(read.Transactions), len(block.GetData().GetData()))
			}
		}
		// The hash of a block's data would keep a fuzzer from its transactions.
		read, err := readBlock(sealed(1, nil, data), memberOfMSPID)
		if err != nil {
			t.Fatalf("a transaction that is none makes its block unreadable: %v", err)
		}
		if got := read.Transactions[0]; len(got.Endorsers) > maxEndorsers || len(got.Writes) > maxWrites {
			t.Errorf("%d endorsers, %d writes", len(got.Endorsers), len(got.Writes))
		}
	})
}
