package notary

import (
	"encoding/json"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/hanse-io/hanse/contracts/key"
	"github.com/hanse-io/hanse/contracts/refusal"
)

const (
	recordPrefix = "record:"
	versionType  = "version"
	digestType   = "digest"
)

// store reads and writes records; it alone knows the state keys.
type store struct {
	stub shim.ChaincodeStubInterface
}

// newest gives the newest version of an id, or nil if the id is free.
func (s store) newest(id string) (*Record, error) {
	return s.read(recordPrefix + id)
}

// mustNewest refuses an id that is not on record.
func (s store) mustNewest(id string) (*Record, error) {
	if err := key.Check("id", id); err != nil {
		return nil, err
	}
	record, err := s.newest(id)
	if err == nil && record == nil {
		return nil, refusal.NotFound.Because("nothing is notarized under %q", id)
	}
	return record, err
}

// version gives a version that is known to exist.
func (s store) version(id string, n int) (*Record, error) {
	at, err := key.Of(versionType, id, key.Number(n))
	if err != nil {
		return nil, err
	}
	record, err := s.read(at)
	if err == nil && record == nil {
		return nil, refusal.Ledger.Because("version %d of %q is missing from the state", n, id)
	}
	return record, err
}

// versionWith gives the newest version that carries a digest, or 0.
func (s store) versionWith(id, digest string) (int, error) {
	at, err := key.Of(digestType, id, digest)
	if err != nil {
		return 0, err
	}
	value, err := s.stub.GetState(at)
	if err != nil {
		return 0, refusal.Ledger.Because("reading a digest of %q: %w", id, err)
	}
	if value == nil {
		return 0, nil
	}
	version, err := strconv.Atoi(string(value))
	if err != nil {
		return 0, refusal.Ledger.Because("the digest index of %q does not parse: %w", id, err)
	}
	return version, nil
}

// append writes a new version. All three keys go in one transaction, and the newest record was
// read before, so of two concurrent Puts of one id the peers accept one.
func (s store) append(record *Record) error {
	value, err := json.Marshal(record)
	if err != nil {
		return refusal.Ledger.Because("encoding %q: %w", record.ID, err)
	}
	versionKey, err := key.Of(versionType, record.ID, key.Number(record.Version))
	if err != nil {
		return err
	}
	digestKey, err := key.Of(digestType, record.ID, record.Digest)
	if err != nil {
		return err
	}
	writes := []struct {
		key   string
		value []byte
	}{
		{versionKey, value},
		{digestKey, []byte(key.Number(record.Version))},
		{recordPrefix + record.ID, value},
	}
	for _, write := range writes {
		if err := s.stub.PutState(write.key, write.value); err != nil {
			return refusal.Ledger.Because("writing %q: %w", record.ID, err)
		}
	}
	return s.announce(*record)
}

// announce tells listeners; metadata stays out, since events are kept in every block once more.
func (s store) announce(record Record) error {
	record.Metadata = ""
	payload, err := json.Marshal(record)
	if err != nil {
		return refusal.Ledger.Because("encoding the event of %q: %w", record.ID, err)
	}
	if err := s.stub.SetEvent(EventPut, payload); err != nil {
		return refusal.Ledger.Because("setting the event of %q: %w", record.ID, err)
	}
	return nil
}

func (s store) read(at string) (*Record, error) {
	value, err := s.stub.GetState(at)
	if err != nil {
		return nil, refusal.Ledger.Because("reading %q: %w", at, err)
	}
	if value == nil {
		return nil, nil
	}
	record := &Record{}
	if err := json.Unmarshal(value, record); err != nil {
		return nil, refusal.Ledger.Because("the record at %q does not parse: %w", at, err)
	}
	return record, nil
}
