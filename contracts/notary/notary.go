// Package notary is a contract that notarizes data: it records that an
// organization held data with a certain digest, under an id, at a place in the
// ledger's order. The data itself never comes near the ledger.
//
// A record is never overwritten. A second Put of an id by the organization that
// owns it appends a version; a Put by any other organization is refused.
//
// State: the newest version of an id lies under the plain key "record:<id>", so
// that ids can be listed in order; every version lies under the composite key
// version/<id>/<n>, and digest/<id>/<digest> tells the newest version that
// carries a digest. History is therefore state that endorsers agree on, and
// does not depend on a peer's optional history database.
//
// The package must not know how it is served, nor which channel it runs on.
package notary

import (
	"unicode/utf8"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"

	"github.com/hanse-io/hanse/contracts/key"
	"github.com/hanse-io/hanse/contracts/origin"
	"github.com/hanse-io/hanse/contracts/refusal"
)

const (
	// Name is the contract's name within its chaincode.
	Name = "notary"
	// Version is the version of the contract's interface.
	Version = "0.1.0"
	// MaxMetadata is the most metadata of one version, in bytes.
	MaxMetadata = 4096
	// EventPut is the chaincode event of a Put; its payload is the Record without its metadata.
	EventPut = "notary.Put"
)

// Contract is the notary. Its exported methods are the functions that clients call.
type Contract struct {
	contractapi.Contract
}

// New gives the contract, ready for contractapi.NewChaincode.
func New() *Contract {
	c := &Contract{}
	c.Name = Name
	c.Info = metadata.InfoMetadata{Title: Name, Version: Version,
		Description: "Notarizes digests of data: who recorded which digest under which id, and in what order."}
	return c
}

// GetEvaluateTransactions names the functions that only read.
func (c *Contract) GetEvaluateTransactions() []string {
	return []string{"Get", "GetVersion", "Verify", "History", "List"}
}

// Put records a digest under an id: version 1 of a new id, or the next version
// of an id that the caller's organization owns.
func (c *Contract) Put(ctx contractapi.TransactionContextInterface, id, digest, algorithm, metadata string) (*Record, error) {
	if err := key.Check("id", id); err != nil {
		return nil, err
	}
	digest, err := parseDigest(digest, algorithm)
	if err != nil {
		return nil, err
	}
	if err := checkMetadata(metadata); err != nil {
		return nil, err
	}
	by, err := origin.Of(ctx.GetStub())
	if err != nil {
		return nil, err
	}
	records := store{ctx.GetStub()}
	last, err := records.newest(id)
	if err != nil {
		return nil, err
	}
	next := &Record{ID: id, Version: 1, Digest: digest, Algorithm: algorithm, Metadata: metadata, Owner: by.MSP, By: by}
	if last != nil {
		if last.Owner != by.MSP {
			return nil, refusal.Denied.Because("%q belongs to %s: %s cannot add a version to it, use another id", id, last.Owner, by.MSP)
		}
		next.Version = last.Version + 1
	}
	return next, records.append(next)
}

// Get gives the newest version of an id.
func (c *Contract) Get(ctx contractapi.TransactionContextInterface, id string) (*Record, error) {
	return store{ctx.GetStub()}.mustNewest(id)
}

// GetVersion gives one version of an id; versions count from 1.
func (c *Contract) GetVersion(ctx contractapi.TransactionContextInterface, id string, version int) (*Record, error) {
	records := store{ctx.GetStub()}
	newest, err := records.mustNewest(id)
	if err != nil {
		return nil, err
	}
	if version < 1 || version > newest.Version {
		return nil, refusal.NotFound.Because("%q has the versions 1 to %d, not %d", id, newest.Version, version)
	}
	return records.version(id, version)
}

// Verify tells whether a digest was recorded under an id, and whether it is still the current one.
func (c *Contract) Verify(ctx contractapi.TransactionContextInterface, id, digest string) (*Verification, error) {
	digest, err := parseAnyDigest(digest)
	if err != nil {
		return nil, err
	}
	records := store{ctx.GetStub()}
	newest, err := records.mustNewest(id)
	if err != nil {
		return nil, err
	}
	version, err := records.versionWith(id, digest)
	if err != nil {
		return nil, err
	}
	answer := &Verification{ID: id, Digest: digest, NewestVersion: newest.Version}
	if version == 0 {
		return answer, nil
	}
	answer.Verified, answer.Current = true, version == newest.Version
	answer.Record, err = records.version(id, version)
	return answer, err
}

// checkMetadata refuses text that would not survive JSON, or that is too long.
func checkMetadata(text string) error {
	if len(text) > MaxMetadata {
		return refusal.Invalid.Because("the metadata has %d bytes: %d are allowed, notarize a digest of the rest", len(text), MaxMetadata)
	}
	if !utf8.ValidString(text) {
		return refusal.Invalid.Because("the metadata is not valid UTF-8: encode binary metadata, for example in base64")
	}
	return nil
}
