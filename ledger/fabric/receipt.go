package fabric

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gateway "github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Receipt is what the ledger itself says of a transaction, in the block that it was committed in.
type Receipt struct {
	Transaction string
	Block       uint64
	// Endorsers are the nodes that signed the transaction's outcome, in the order of their signatures.
	Endorsers []Endorser
}

// Endorser is a Member's peer.
type Endorser struct{ Member, Node string }

func (r Receipt) String() string {
	var by []string
	for _, e := range r.Endorsers {
		by = append(by, fmt.Sprintf("%s (%s)", e.Member, e.Node))
	}
	return fmt.Sprintf("endorsed by %s, says block %d of transaction %s", strings.Join(by, " and "), r.Block, r.Transaction)
}

// SubmitForReceipt submits as Submit does, and reads the transaction back out of its block at the Member's own peer.
func (c *Client) SubmitForReceipt(ctx context.Context, channel, contract, function string, arguments ...string) ([]byte, Receipt, error) {
	network := c.gateway.GetNetwork(channel)
	answer, commit, err := network.GetContract(contract).SubmitAsyncWithContext(ctx, function, gateway.WithArguments(arguments...))
	if err != nil {
		return nil, Receipt{}, failure(err)
	}
	status, err := commit.StatusWithContext(ctx)
	if err != nil {
		return nil, Receipt{}, failure(err)
	}
	if !status.Successful {
		return nil, Receipt{}, invalidated(status.TransactionID, status.Code, nil)
	}
	raw, err := network.GetContract("qscc").EvaluateWithContext(ctx, "GetBlockByNumber",
		gateway.WithArguments(channel, strconv.FormatUint(status.BlockNumber, 10)), gateway.WithEndorsingOrganizations(c.gateway.Identity().MspID()))
	if err != nil {
		return answer, Receipt{}, fmt.Errorf("read block %d of channel %s: %w", status.BlockNumber, channel, withDetails(err))
	}
	receipt, err := readReceipt(raw, status.TransactionID)
	if err != nil {
		return answer, Receipt{}, fmt.Errorf("read transaction %s in block %d of channel %s: %w", status.TransactionID, status.BlockNumber, channel, err)
	}
	return answer, receipt, nil
}

// readReceipt finds a transaction in a block.
func readReceipt(raw []byte, id string) (Receipt, error) {
	block := &common.Block{}
	if err := proto.Unmarshal(raw, block); err != nil {
		return Receipt{}, err
	}
	for _, entry := range block.GetData().GetData() {
		var envelope common.Envelope
		var payload common.Payload
		var header common.ChannelHeader
		if err := errors.Join(proto.Unmarshal(entry, &envelope), proto.Unmarshal(envelope.GetPayload(), &payload),
			proto.Unmarshal(payload.GetHeader().GetChannelHeader(), &header)); err != nil {
			return Receipt{}, err
		}
		if header.GetTxId() != id {
			continue
		}
		endorsers, err := endorsersOf(payload.GetData())
		return Receipt{Transaction: id, Block: block.GetHeader().GetNumber(), Endorsers: endorsers}, err
	}
	return Receipt{}, errors.New("it is not there")
}

// endorsersOf reads who signed the one action that every transaction has.
func endorsersOf(data []byte) ([]Endorser, error) {
	var transaction peer.Transaction
	if err := proto.Unmarshal(data, &transaction); err != nil {
		return nil, err
	}
	if len(transaction.GetActions()) != 1 {
		return nil, fmt.Errorf("it has %d actions, where a contract's call has one", len(transaction.GetActions()))
	}
	var action peer.ChaincodeActionPayload
	if err := proto.Unmarshal(transaction.GetActions()[0].GetPayload(), &action); err != nil {
		return nil, err
	}
	var endorsers []Endorser
	for _, endorsement := range action.GetAction().GetEndorsements() {
		var identity msp.SerializedIdentity
		if err := proto.Unmarshal(endorsement.GetEndorser(), &identity); err != nil {
			return nil, err
		}
		certificate, err := parseCertificate(identity.GetIdBytes())
		if err != nil {
			return nil, fmt.Errorf("the certificate of an endorser of %s: %w", identity.GetMspid(), err)
		}
		endorsers = append(endorsers, Endorser{Member: memberOfMSPID(identity.GetMspid()), Node: certificate.Subject.CommonName})
	}
	return endorsers, nil
}
