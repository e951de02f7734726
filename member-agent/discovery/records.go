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
	// errNotMember: the record's speaker is not in the ring.
	errNotMember = errors.New("the record's member is not in this consortium")
	// errStale: a newer record of that member is known. It is the ordinary case, and how a replay ends.
	errStale = errors.New("a newer record is known")
)

// entry is a checked record.
type entry struct {
	record  v1alpha1.Record
	signed  v1alpha1.SignedRecord
	expires time.Time // of the signer's certificate
}

// newer orders the records of one member in the same way everywhere: by sequence first. Two of the same sequence should
// not be; if they are, everybody settles on the same one, and an envelope that was signed again on the one that lasts.
func (e *entry) newer(than *entry) bool {
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

// book holds the records of one ring. It has no lock of its own.
type book struct {
	consortium string
	roots      map[string]string // PEM by member; empty if not known yet
	entries    map[string]*entry
}

func newBook(consortium string) *book {
	return &book{consortium: consortium, roots: map[string]string{}, entries: map[string]*entry{}}
}

// claim is what an envelope says of itself before anything is checked.
type claim struct {
	Member   string `json:"member"`
	Sequence int64  `json:"sequence"`
}

func readClaim(env *v1alpha1.SignedRecord) (claim, error) {
	var c claim
	if len(env.Payload) > v1alpha1.MaxRecordBytes {
		return c, fmt.Errorf("%w: a payload of %d bytes", signature.ErrTooLarge, len(env.Payload))
	}
	if err := json.Unmarshal(env.Payload, &c); err != nil {
		return c, fmt.Errorf("%w: %w", signature.ErrMalformed, err)
	}
	return c, nil
}

// check verifies an envelope and returns the entry to add; nil when it is the one that is known already. What would
// not be taken anyway is not verified, because that is the costly part.
func (b *book) check(env *v1alpha1.SignedRecord, now time.Time) (*entry, error) {
	c, err := readClaim(env)
	if err != nil {
		return nil, err
	}
	root, ok := b.roots[c.Member]
	if !ok {
		return nil, fmt.Errorf("%w: %.60q", errNotMember, c.Member)
	}
	known := b.entries[c.Member]
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
	e := &entry{record: record, signed: *env.DeepCopy(), expires: expires}
	if !e.newer(known) {
		return nil, errStale
	}
	return e, nil
}

// reason puts why a record was rejected into one word.
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

// state is what is told to another agent: the first members' records first, then the others' in any order until there
// is no room. Records whose signer has expired are kept but not passed on, for nobody would take them.
func (b *book) state(now time.Time, limit int, first ...string) []byte {
	var state []byte
	add := func(member string) {
		e := b.entries[member]
		if e == nil || now.After(e.expires) {
			return
		}
		if longer, err := appendRecord(state, &e.signed); err == nil && len(longer) <= limit {
			state = longer
		}
	}
	told := map[string]bool{}
	for _, m := range first {
		told[m] = true
		add(m)
	}
	rest := make([]string, 0, len(b.entries))
	for m := range b.entries {
		if !told[m] {
			rest = append(rest, m)
		}
	}
	rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for _, m := range rest {
		add(m)
	}
	return state
}
