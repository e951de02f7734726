package fabric

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/ledger"
)

// transactionReader reads one transaction as far as it can be read.
type transactionReader struct {
	member func(mspID string) string
	into   *ledger.Transaction
}

// readTransaction reads an entry of a block. What cannot be read is in its Problem.
func readTransaction(entry []byte, member func(mspID string) string) ledger.Transaction {
	r := transactionReader{member: member, into: &ledger.Transaction{Type: ledger.TypeOther}}
	if err := r.envelope(entry); err != nil {
		r.into.Problem = err.Error()
	}
	return *r.into
}

func (r transactionReader) envelope(entry []byte) error {
	var envelope common.Envelope
	var payload common.Payload
	var header common.ChannelHeader
	var signature common.SignatureHeader
	if err := errors.Join(proto.Unmarshal(entry, &envelope), proto.Unmarshal(envelope.GetPayload(), &payload),
		proto.Unmarshal(payload.GetHeader().GetChannelHeader(), &header)); err != nil {
		return fmt.Errorf("its envelope: %w", err)
	}
	r.into.ID = header.GetTxId()
	if stamp := header.GetTimestamp(); stamp.IsValid() {
		r.into.Time = stamp.AsTime()
	}
	var creator error
	if err := proto.Unmarshal(payload.GetHeader().GetSignatureHeader(), &signature); err != nil {
		creator = fmt.Errorf("its creator: %w", err)
	} else if r.into.Creator, err = r.signer(signature.GetCreator()); err != nil {
		creator = fmt.Errorf("its creator: %w", err)
	}
	switch common.HeaderType(header.GetType()) {
	case common.HeaderType_ENDORSER_TRANSACTION:
		r.into.Type = ledger.TypeCall
		return errors.Join(creator, r.call(payload.GetData()))
	case common.HeaderType_CONFIG:
		r.into.Type = ledger.TypeConfiguration
	}
	return creator
}

// signer reads who an identity is. A certificate that cannot be read leaves the Member.
func (r transactionReader) signer(raw []byte) (ledger.Signer, error) {
	var identity msp.SerializedIdentity
	if len(raw) == 0 {
		return ledger.Signer{}, nil // An orderer that was not configured to sign, as in a first block.
	}
	if err := proto.Unmarshal(raw, &identity); err != nil {
		return ledger.Signer{}, err
	}
	signer := ledger.Signer{Member: r.member(identity.GetMspid())}
	certificate, err := parseCertificate(identity.GetIdBytes())
	if err != nil {
		return signer, fmt.Errorf("the certificate of somebody of %.100s: %w", signer.Member, err)
	}
	signer.Name, signer.Subject = certificate.Subject.CommonName, certificate.Subject.String()
	return signer, nil
}

// call reads the one action that every call of a contract has.
func (r transactionReader) call(data []byte) error {
	var transaction peer.Transaction
	if err := proto.Unmarshal(data, &transaction); err != nil {
		return fmt.Errorf("its call: %w", err)
	}
	if len(transaction.GetActions()) != 1 {
		return fmt.Errorf("it has %d actions, where a contract's call has one", len(transaction.GetActions()))
	}
	var action peer.ChaincodeActionPayload
	if err := proto.Unmarshal(transaction.GetActions()[0].GetPayload(), &action); err != nil {
		return fmt.Errorf("its action: %w", err)
	}
	return errors.Join(
		r.input(action.GetChaincodeProposalPayload()),
		r.outcome(action.GetAction().GetProposalResponsePayload()),
		r.endorsers(action.GetAction().GetEndorsements()),
	)
}

func (r transactionReader) input(raw []byte) error {
	var proposal peer.ChaincodeProposalPayload
	var invocation peer.ChaincodeInvocationSpec
	if err := errors.Join(proto.Unmarshal(raw, &proposal), proto.Unmarshal(proposal.GetInput(), &invocation)); err != nil {
		return fmt.Errorf("its arguments: %w", err)
	}
	r.into.Contract = invocation.GetChaincodeSpec().GetChaincodeId().GetName()
	if arguments := invocation.GetChaincodeSpec().GetInput().GetArgs(); len(arguments) > 0 {
		r.into.Function, r.into.Arguments = string(arguments[0]), arguments[1:]
	}
	return nil
}

func (r transactionReader) outcome(raw []byte) error {
	var response peer.ProposalResponsePayload
	var action peer.ChaincodeAction
	var results rwset.TxReadWriteSet
	if err := errors.Join(proto.Unmarshal(raw, &response), proto.Unmarshal(response.GetExtension(), &action),
		proto.Unmarshal(action.GetResults(), &results)); err != nil {
		return fmt.Errorf("its outcome: %w", err)
	}
	// What was endorsed is what counts; the arguments name the same contract.
	if name := action.GetChaincodeId().GetName(); name != "" {
		r.into.Contract = name
	}
	r.into.Answer = action.GetResponse().GetPayload()
	if len(action.GetEvents()) > 0 {
		var event peer.ChaincodeEvent
		if err := proto.Unmarshal(action.GetEvents(), &event); err != nil {
			return fmt.Errorf("its event: %w", err)
		}
		r.into.Event = &ledger.Event{
			Contract: event.GetChaincodeId(), Name: event.GetEventName(), Payload: event.GetPayload(), Transaction: r.into.ID,
		}
	}
	for _, space := range results.GetNsRwset() {
		if err := r.writes(space); err != nil {
			return fmt.Errorf("its writes to the state of %.100s: %w", space.GetNamespace(), err)
		}
	}
	return nil
}

// writes reads the writes to one contract's state.
func (r transactionReader) writes(space *rwset.NsReadWriteSet) error {
	var public kvrwset.KVRWSet
	if err := proto.Unmarshal(space.GetRwset(), &public); err != nil {
		return err
	}
	add := func(write ledger.Write) error {
		if len(r.into.Writes) == maxWrites {
			return fmt.Errorf("there are more than %d", maxWrites)
		}
		write.Contract = space.GetNamespace()
		r.into.Writes = append(r.into.Writes, write)
		return nil
	}
	for _, w := range public.GetWrites() {
		if err := add(ledger.Write{Key: w.GetKey(), Value: w.GetValue(), Deleted: w.GetIsDelete()}); err != nil {
			return err
		}
	}
	for _, collection := range space.GetCollectionHashedRwset() {
		var private kvrwset.HashedRWSet
		if err := proto.Unmarshal(collection.GetHashedRwset(), &private); err != nil {
			return err
		}
		for _, w := range private.GetHashedWrites() {
			if err := add(ledger.Write{
				Collection: collection.GetCollectionName(), KeyHash: w.GetKeyHash(), ValueHash: w.GetValueHash(),
				Deleted: w.GetIsDelete() || w.GetIsPurge(),
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r transactionReader) endorsers(endorsements []*peer.Endorsement) error {
	if len(endorsements) > maxEndorsers {
		return fmt.Errorf("it has %d endorsements, which is more than %d", len(endorsements), maxEndorsers)
	}
	for _, endorsement := range endorsements {
		signer, err := r.signer(endorsement.GetEndorser())
		if err != nil {
			return fmt.Errorf("its endorsers: %w", err)
		}
		r.into.Endorsers = append(r.into.Endorsers, signer)
	}
	return nil
}
