package fabric

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-config/configtx/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	ordererpb "github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer/etcdraft"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// MaxGenesisBytes is the size that a first block may have, in bytes. One of sixty-four organizations has 620 KB; an orderer
// takes requests of one megabyte.
const MaxGenesisBytes = 1000 << 10

// genesis makes a channel's first block. given is one that was made before, if it is to be compared with that: what changes
// in the life of a network, certificates of consenters and the number of peers, is taken from there, as far as it is sound.
func (n network) genesis(channel v1alpha1.PlanChannel, given *common.ConfigEnvelope) (*common.Block, error) {
	config, err := n.channelConfig(channel, consentersOf(given))
	if err != nil {
		return nil, err
	}
	block, err := configtx.NewApplicationChannelGenesisBlock(config, channel.Name)
	if err != nil {
		return nil, err
	}
	return block, n.addAnchors(block, channel, anchorCounts(given))
}

// makeGenesis makes a channel's first block. It differs from another one for the same plan and records in its nonce and
// its time only.
func (n network) makeGenesis(channel v1alpha1.PlanChannel) ([]byte, error) {
	block, err := n.genesis(channel, nil)
	if err != nil {
		return nil, err
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(block)
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxGenesisBytes {
		return nil, fmt.Errorf("the first block of channel %s has %d bytes, which is more than %d: let fewer members take part", channel.Name, len(raw), MaxGenesisBytes)
	}
	return raw, nil
}

// checkGenesis compares another member's block with the one that this Member would make. The block is untrusted.
func (n network) checkGenesis(channel v1alpha1.PlanChannel, block []byte) (string, error) {
	got, err := parseGenesis(block)
	if err != nil {
		return "", err
	}
	wantBlock, err := n.genesis(channel, got.config)
	if err != nil {
		return "", err
	}
	want, err := parseBlock(wantBlock)
	if err != nil {
		return "", err
	}
	if err := compareGenesis(want, got); err != nil {
		return "", err
	}
	return headerHash(got.block.GetHeader())
}

func genesisError(format string, arguments ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ledger.ErrGenesisRefused}, arguments...)...)
}

// parsedBlock is a decoded configuration block.
type parsedBlock struct {
	block     *common.Block
	envelope  *common.Envelope
	header    *common.ChannelHeader
	signature *common.SignatureHeader
	config    *common.ConfigEnvelope
}

func parseGenesis(raw []byte) (*parsedBlock, error) {
	if len(raw) > MaxGenesisBytes {
		return nil, genesisError("the block has %d bytes, which is more than %d", len(raw), MaxGenesisBytes)
	}
	block := &common.Block{}
	if err := proto.Unmarshal(raw, block); err != nil {
		return nil, genesisError("it is not a block: %v", err)
	}
	return parseBlock(block)
}

func parseBlock(block *common.Block) (*parsedBlock, error) {
	if n := len(block.GetData().GetData()); n != 1 {
		return nil, genesisError("block.data has %d transactions, not one", n)
	}
	o := &parsedBlock{
		block: block, envelope: &common.Envelope{}, header: &common.ChannelHeader{},
		signature: &common.SignatureHeader{}, config: &common.ConfigEnvelope{},
	}
	payload := &common.Payload{}
	for _, part := range []struct {
		path string
		raw  func() []byte
		into proto.Message
	}{
		{"envelope", func() []byte { return block.GetData().GetData()[0] }, o.envelope},
		{"payload", func() []byte { return o.envelope.GetPayload() }, payload},
		{"channel header", func() []byte { return payload.GetHeader().GetChannelHeader() }, o.header},
		{"signature header", func() []byte { return payload.GetHeader().GetSignatureHeader() }, o.signature},
		{"config", func() []byte { return payload.GetData() }, o.config},
	} {
		if err := proto.Unmarshal(part.raw(), part.into); err != nil {
			return nil, genesisError("its %s cannot be read: %v", part.path, err)
		}
	}
	return o, nil
}

// compareHeader says what is wrong with the header of a first block.
func compareHeader(block *common.Block) error {
	header := block.GetHeader()
	hash := sha256.Sum256(bytes.Join(block.GetData().GetData(), nil))
	switch {
	case header.GetNumber() != 0:
		return genesisError("block.header.number is %d, not 0", header.GetNumber())
	case len(header.GetPreviousHash()) != 0:
		return genesisError("block.header.previous_hash is set")
	case !bytes.Equal(header.GetDataHash(), hash[:]):
		return genesisError("block.header.data_hash is not the hash of the data")
	}
	return nil
}

// compareGenesis says where a block differs from the one that is wanted, apart from its time and nonce.
func compareGenesis(want, got *parsedBlock) error {
	if err := compareHeader(got.block); err != nil {
		return err
	}
	switch {
	case !proto.Equal(got.block.GetMetadata(), want.block.GetMetadata()):
		return genesisError("block.metadata is not that of a first block")
	case len(got.envelope.GetSignature()) != 0:
		return genesisError("envelope.signature is set")
	case got.header.GetChannelId() != want.header.GetChannelId():
		return genesisError("it is for channel %q, not %q", got.header.GetChannelId(), want.header.GetChannelId())
	}
	wantHeader := proto.Clone(want.header).(*common.ChannelHeader)
	wantHeader.Timestamp, wantHeader.TxId = got.header.GetTimestamp(), got.header.GetTxId()
	if !proto.Equal(got.header, wantHeader) {
		return genesisError("its channel header is not that of a first block")
	}
	if len(got.signature.GetCreator()) != 0 {
		return genesisError("its signature header names a creator")
	}
	if path := differs("Channel", want.config.GetConfig().GetChannelGroup(), got.config.GetConfig().GetChannelGroup()); path != "" {
		return genesisError("%s is not what the plan and the records say", path)
	}
	if !proto.Equal(want.config, got.config) {
		return genesisError("its config envelope holds more than the configuration")
	}
	return nil
}

// consentersOf takes the consenters' certificates out of a configuration, by host. What cannot be read is left out: the
// comparison will find it.
func consentersOf(envelope *common.ConfigEnvelope) map[string]*x509.Certificate {
	group := envelope.GetConfig().GetChannelGroup().GetGroups()[configtx.OrdererGroupKey]
	consensus, metadata := &ordererpb.ConsensusType{}, &etcdraft.ConfigMetadata{}
	if proto.Unmarshal(group.GetValues()[orderer.ConsensusTypeKey].GetValue(), consensus) != nil ||
		proto.Unmarshal(consensus.GetMetadata(), metadata) != nil {
		return nil
	}
	certificates := map[string]*x509.Certificate{}
	for _, consenter := range metadata.GetConsenters() {
		if certificate, err := parseCertificate(consenter.GetServerTlsCert()); err == nil {
			certificates[consenter.GetHost()] = certificate
		}
	}
	return certificates
}

// headerHash is headerSum in hex.
func headerHash(header *common.BlockHeader) (string, error) {
	sum, err := headerSum(header)
	return hex.EncodeToString(sum), err
}
