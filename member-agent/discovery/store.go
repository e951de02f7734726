package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

var (
	// errNotMember: the statement's member is not in the group.
	errNotMember = errors.New("the statement's member is not in this consortium")
	// errStale: a newer statement of that member and kind is known, which is normal, and the result of a replay.
	errStale = errors.New("a newer statement is known")
	// errUnwanted: a statement of a kind that is only taken when it was asked for.
	errUnwanted = errors.New("the statement was not asked for")
)

// verified is a statement whose signature and content have been verified.
type verified struct {
	signed  v1alpha1.StatementSpec
	digest  string
	expires time.Time // of the signer's certificate
	// record or holdings is the content, by the kind.
	record   *v1alpha1.Record
	holdings []v1alpha1.RecordChannel
}

// newer is a total order of the statements of one member and kind, the same at every agent: by sequence first. Should there be
// two of one sequence, all agents choose the same payload, and of two envelopes with it the one whose signer expires later.
func (e *verified) newer(than *verified) bool {
	if than == nil {
		return true
	}
	if e.signed.Sequence != than.signed.Sequence {
		return e.signed.Sequence > than.signed.Sequence
	}
	if c := bytes.Compare(e.signed.Payload, than.signed.Payload); c != 0 {
		return c > 0
	}
	return e.expires.After(than.expires)
}

// isHeld is whether a kind of statement is exchanged with everybody and held in memory: the small ones.
func isHeld(kind v1alpha1.StatementKind) bool {
	return kind == v1alpha1.StatementRecord || kind == v1alpha1.StatementHoldings
}

// store holds the statements of one group. It has no lock of its own.
type store struct {
	consortium string
	roots      map[string]string // PEM by member; empty if not known yet
	held       map[statement.Key]*verified
	// wanted are the other statements that this agent has asked for.
	wanted map[statement.Key]bool
}

func newStore(consortium string) *store {
	return &store{consortium: consortium, roots: map[string]string{}, held: map[statement.Key]*verified{}, wanted: map[statement.Key]bool{}}
}

// check verifies a statement and returns it for adding; nil if it is known already. Stale ones are not verified, because
// verification is expensive.
func (b *store) check(s *v1alpha1.StatementSpec, now time.Time) (*verified, error) {
	root, ok := b.roots[s.Member]
	if !ok {
		return nil, fmt.Errorf("%w: %.60q", errNotMember, s.Member)
	}
	key := statement.KeyOf(s)
	if !isHeld(s.Kind) && !b.wanted[key] {
		return nil, errUnwanted
	}
	known := b.held[key]
	if known != nil {
		if statement.Equal(s, &known.signed) {
			return nil, nil
		}
		if s.Sequence < known.signed.Sequence {
			return nil, errStale
		}
	}
	if err := statement.Verify(s, root, s.Member, b.consortium, now, statement.Content); err != nil {
		return nil, err
	}
	e, err := newVerified(s)
	if err != nil {
		return nil, err
	}
	if !e.newer(known) {
		return nil, errStale
	}
	return e, nil
}

func newVerified(s *v1alpha1.StatementSpec) (*verified, error) {
	e := &verified{signed: *s.DeepCopy(), digest: statement.Digest(s)}
	var err error
	if e.expires, err = statement.Expiry(s); err != nil {
		return nil, err
	}
	switch s.Kind {
	case v1alpha1.StatementRecord:
		var record v1alpha1.Record
		record, err = statement.Record(s)
		e.record = &record
	case v1alpha1.StatementHoldings:
		e.holdings, err = statement.Holdings(s)
	}
	return e, err
}

// record is a Member's record with its Holdings; nil if there is none.
func (b *store) record(member string) *v1alpha1.Record {
	e := b.held[statement.Key{Member: member, Kind: v1alpha1.StatementRecord}]
	if e == nil {
		return nil
	}
	record := *e.record
	if h := b.held[statement.Key{Member: member, Kind: v1alpha1.StatementHoldings}]; h != nil {
		record.Channels, record.HoldingsSequence = h.holdings, h.signed.Sequence
	}
	return &record
}

// signed are a Member's statements that are held, by kind.
func (b *store) signed(member string) map[v1alpha1.StatementKind]Signed {
	all := map[v1alpha1.StatementKind]Signed{}
	for _, kind := range []v1alpha1.StatementKind{v1alpha1.StatementRecord, v1alpha1.StatementHoldings} {
		if e := b.held[statement.Key{Member: member, Kind: kind}]; e != nil {
			all[kind] = Signed{Digest: e.digest, Statement: &e.signed}
		}
	}
	return all
}

// reason is the metric label of why a statement was rejected.
func reason(err error) string {
	switch {
	case errors.Is(err, errNotMember):
		return "not_member"
	case errors.Is(err, errStale):
		return "stale"
	case errors.Is(err, errUnwanted):
		return "unwanted"
	case errors.Is(err, errState):
		return "state"
	default:
		return statement.Reason(err)
	}
}
