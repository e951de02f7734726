// Package origin tells where a transaction comes from: which organization and
// which client signed the proposal, when, and under which transaction id.
//
// It must not know what the transaction does, and it decides nothing: whether
// an origin may do something is the contract's own rule.
package origin

import (
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/hanse-io/hanse/contracts/refusal"
)

// Party is a client of an organization.
type Party struct {
	// MSP is the organization's MSP id, which the peer has checked.
	MSP string `json:"msp"`
	// Client is unique within the MSP and outlives a certificate's renewal. It is the base64 of
	// "x509::<subject>::<issuer>", kept encoded because a distinguished name need not be valid UTF-8.
	Client string `json:"client"`
}

// Origin is a transaction's party, time and id.
type Origin struct {
	MSP    string `json:"msp"`
	Client string `json:"client"`
	// Time is what the client wrote into its proposal, in RFC 3339, UTC. Every endorser reads the same
	// value from it; that it is the true time is the client's word. The order of blocks is the proof.
	Time string `json:"time"`
	// TxID is the transaction to look up on the ledger.
	TxID string `json:"txId"`
}

// Party is who acted.
func (o Origin) Party() Party { return Party{MSP: o.MSP, Client: o.Client} }

// Of reads the origin of the transaction behind the stub.
func Of(stub shim.ChaincodeStubInterface) (Origin, error) {
	identity, err := cid.New(stub)
	if err != nil {
		return Origin{}, refusal.Denied.Because("the caller's identity cannot be read: %w", err)
	}
	msp, err := identity.GetMSPID()
	if err != nil || msp == "" {
		return Origin{}, refusal.Denied.Because("the caller's identity names no MSP: sign with an organization's client certificate")
	}
	client, err := identity.GetID()
	if err != nil {
		return Origin{}, refusal.Denied.Because("the caller has no X.509 certificate: sign with one, anonymous credentials are not accepted")
	}
	stamp, err := stub.GetTxTimestamp()
	if err != nil {
		return Origin{}, refusal.Ledger.Because("the transaction has no timestamp: %w", err)
	}
	if err := stamp.CheckValid(); err != nil {
		return Origin{}, refusal.Invalid.Because("the proposal's timestamp is out of range: %w", err)
	}
	return Origin{
		MSP: msp, Client: client, TxID: stub.GetTxID(),
		Time: stamp.AsTime().UTC().Format(time.RFC3339Nano),
	}, nil
}
