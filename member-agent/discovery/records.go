package discovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/signature"
)

var (
	// errNotMember: the record's member is not in the group.
	errNotMember = errors.New("the record's member is not in this consortium")
	// errStale: a newer record of that member is known, which is normal, and the result of a replay.
	errStale = errors.New("a newer record is known")
)

// verifiedRecord is a record whose signature has been verified.
type verifiedRecord struct {
	record  v1alpha1.Record
	signed  v1alpha1.SignedRecord
	expires time.Time // of the signer's certificate
}

// newer is a total order of the records of one member, the same at every agent: by sequence first. Should there be two of
// one sequence, all agents choose the same payload, and of two envelopes with it the one whose signer expires later.
func (e *verifiedRecord) newer(than *verifiedRecord) bool {
	if than == nil {
		return true
	}
	if e.record.Sequence != than.record.Sequence {
		return e.record.Sequence > than.record.Sequence
	}
	if c := bytes.Compare(e.signed.Payload, than.signed.Payload); c != 0 {
		return c > 0
	}
	return e.expires.After(than.expires)
}

// recordStore holds the records of one group. It has no lock of its own.
type recordStore struct {
	consortium string
	roots      map[string]string // PEM by member; empty if not known yet
	records    map[string]*verifiedRecord
}

func newRecordStore(consortium string) *recordStore {
	return &recordStore{consortium: consortium, roots: map[string]string{}, records: map[string]*verifiedRecord{}}
}

// header is the part of an envelope that is read before verification.
type header struct {
	Member   string `json:"member"`
	Sequence int64  `json:"sequence"`
}

func readHeader(env *v1alpha1.SignedRecord) (header, error) {
	var c header
	if len(env.Payload) > v1alpha1.MaxRecordBytes {
		return c, fmt.Errorf("%w: a payload of %d bytes", signature.ErrTooLarge, len(env.Payload))
	}
	if err := json.Unmarshal(env.Payload, &c); err != nil {
		return c, fmt.Errorf("%w: %w", signature.ErrMalformed, err)
	}
	return c, nil
}

// check verifies an envelope and returns the record to add; nil if it is known already. Stale envelopes are not verified,
// because verification is expensive.
func (b *recordStore) check(env *v1alpha1.SignedRecord, now time.Time) (*verifiedRecord, error) {
	c, err := readHeader(env)
	if err != nil {
		return nil, err
	}
	root, ok := b.roots[c.Member]
	if !ok {
		return nil, fmt.Errorf("%w: %.60q", errNotMember, c.Member)
	}
	known := b.records[c.Member]
	if known != nil {
		same := bytes.Equal(env.Payload, known.signed.Payload)
		if same && bytes.Equal(env.Signature, known.signed.Signature) {
			return nil, nil
		}
		if c.Sequence < known.record.Sequence {
			return nil, errStale
		}
	}
	record, err := signature.Verify(env, root, c.Member, b.consortium, now)
	if err != nil {
		return nil, err
	}
	expires, err := signature.Expiry(env)
	if err != nil {
		return nil, err
	}
	e := &verifiedRecord{record: record, signed: *env.DeepCopy(), expires: expires}
	if !e.newer(known) {
		return nil, errStale
	}
	return e, nil
}

// reason is the metric label of why a record was rejected.
func reason(err error) string {
	switch {
	case errors.Is(err, errNotMember):
		return "not_member"
	case errors.Is(err, errStale):
		return "stale"
	case errors.Is(err, errState):
		return "state"
	default:
		return signature.Reason(err)
	}
}

// encode encodes records for another agent, up to limit bytes: the first members' first, then the others' in random order.
// Records whose signer has expired are left out, since nobody would accept them.
func (b *recordStore) encode(now time.Time, limit int, first ...string) []byte {
	var state []byte
	add := func(member string) {
		e := b.records[member]
		if e == nil || now.After(e.expires) {
			return
		}
		if longer, err := appendRecord(state, &e.signed); err == nil && len(longer) <= limit {
			state = longer
		}
	}
	encoded := map[string]bool{}
	for _, m := range first {
		encoded[m] = true
		add(m)
	}
	rest := make([]string, 0, len(b.records))
	for m := range b.records {
		if !encoded[m] {
			rest = append(rest, m)
		}
	}
	rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for _, m := range rest {
		add(m)
	}
	return state
}
