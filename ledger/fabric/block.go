package fabric

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/ledger"
)

// Bounds of what is read out of a block, so that a small one cannot take much memory: an entry of two bytes becomes hundreds.
const (
	// maxBlockBytes is the size of an encoded block: the largest message that Fabric's nodes exchange. No larger one is taken from
	// a node either.
	maxBlockBytes = 100 << 20
	// maxTransactions of one block: as many as a channel may have its orderers put into one.
	maxTransactions = 100_000
	// maxWrites and maxEndorsers of one transaction.
	maxWrites    = 1 << 16
	maxEndorsers = 1 << 10
)

// unmarshalBlock reads an encoded block, of maxBlockBytes at most.
func unmarshalBlock(raw []byte) (*common.Block, error) {
	if len(raw) > maxBlockBytes {
		return nil, fmt.Errorf("%w: it has %d bytes, which is more than %d", ledger.ErrMalformed, len(raw), maxBlockBytes)
	}
	block := &common.Block{}
	if err := proto.Unmarshal(raw, block); err != nil {
		return nil, fmt.Errorf("%w: %s", ledger.ErrMalformed, err.Error())
	}
	return block, nil
}

// readBlock checks that a block's header is the one of its data, and reads its transactions. What is wrong with one of these
// is in that one: a block holds everything that was ordered. member names a Member by its MSP ID. Pure.
func readBlock(block *common.Block, member func(mspID string) string) (*ledger.Block, error) {
	header, entries := block.GetHeader(), block.GetData().GetData()
	if header == nil {
		return nil, fmt.Errorf("%w: it has no header", ledger.ErrMalformed)
	}
	if len(entries) > maxTransactions {
		return nil, fmt.Errorf("%w: it has %d transactions, which is more than %d", ledger.ErrMalformed, len(entries), maxTransactions)
	}
	data := sha256.New()
	for _, entry := range entries {
		data.Write(entry)
	}
	if !bytes.Equal(data.Sum(nil), header.GetDataHash()) {
		return nil, fmt.Errorf("%w: its header has the hash of other data", ledger.ErrMalformed)
	}
	hash, err := headerSum(header)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ledger.ErrMalformed, err.Error())
	}
	read := &ledger.Block{
		Number: header.GetNumber(), Hash: hash, PreviousHash: header.GetPreviousHash(), DataHash: header.GetDataHash(),
		Transactions: make([]ledger.Transaction, 0, len(entries)),
	}
	for i, entry := range entries {
		transaction := readTransaction(entry, member)
		transaction.Block, transaction.Index = read.Number, i
		transaction.Valid, transaction.Code = validation(block, i)
		if transaction.Event != nil {
			transaction.Event.Block = read.Number
		}
		if transaction.Time.After(read.Time) {
			read.Time = transaction.Time
		}
		read.Transactions = append(read.Transactions, transaction)
	}
	return read, nil
}

// validation is what the peer that gave the block has found of a transaction. A first block has no such metadata: who joined
// by it took it as valid.
func validation(block *common.Block, at int) (valid bool, code string) {
	all := block.GetMetadata().GetMetadata()
	var codes []byte
	if filter := int(common.BlockMetadataIndex_TRANSACTIONS_FILTER); filter < len(all) {
		codes = all[filter]
	}
	switch {
	case at < len(codes):
		found := peer.TxValidationCode(codes[at])
		return found == peer.TxValidationCode_VALID, found.String()
	case block.GetHeader().GetNumber() == 0:
		return true, peer.TxValidationCode_VALID.String()
	default:
		return false, peer.TxValidationCode_NOT_VALIDATED.String()
	}
}

// headerSum is the hash by which a block is known: of the ASN.1 of its header.
func headerSum(header *common.BlockHeader) ([]byte, error) {
	raw, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(header.GetNumber()), header.GetPreviousHash(), header.GetDataHash()})
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(raw)
	return hash[:], nil
}
