package governance

import (
	"fmt"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// Proposal is one change that needs consent. If it is accepted it is the entry of the log at its position.
type Proposal struct {
	// Charter is the digest of the Consortium's charter.
	Charter string `json:"charter"`
	// Position in the log, from 1.
	Position int64 `json:"position"`
	// Previous is the digest of the entry before it, which for the first one is the charter's.
	Previous string `json:"previous"`
	// Expires is when members no longer begin to accept it, in UTC and whole seconds.
	Expires time.Time `json:"expires"`
	Change  Change    `json:"change"`

	// Proposer is the member that has signed it, Digest that of its statement, and Kind the change's.
	Proposer string `json:"-"`
	Digest   string `json:"-"`
	Kind     Kind   `json:"-"`
}

// NewProposal is the unsigned statement of a proposal; its sequence is the caller's.
func NewProposal(consortium, proposer string, sequence int64, p Proposal) (v1alpha1.StatementSpec, error) {
	return unsigned(v1alpha1.StatementProposal, consortium, proposer, position(p.Position), sequence, p)
}

// ParseProposal is the proposal in a statement of that kind, as far as it can be checked without knowing what is in force.
func ParseProposal(s *v1alpha1.StatementSpec) (*Proposal, error) {
	var p Proposal
	if err := decode(s, v1alpha1.StatementProposal, &p); err != nil {
		return nil, err
	}
	var err error
	if p.Kind, err = p.Change.Kind(); err != nil {
		return nil, malformed(err)
	}
	switch {
	case p.Position < 1 || s.Subject != position(p.Position):
		return nil, malformed(invalid("a proposal for position %d with the subject %.60q", p.Position, s.Subject))
	case !v1alpha1.IsDigest(p.Charter) || !v1alpha1.IsDigest(p.Previous):
		return nil, malformed(invalid("the charter or the previous entry is not named by its digest"))
	case p.Expires.IsZero() || !p.Expires.Equal(p.Expires.Truncate(time.Second)) || p.Expires.Location() != time.UTC:
		return nil, malformed(invalid("the proposal does not say in UTC by which second it expires"))
	}
	p.Proposer, p.Digest = s.Member, statement.Digest(s)
	return &p, nil
}

// Answer is what a member says to a proposal.
type Answer string

const (
	Approve Answer = "Approve"
	Reject  Answer = "Reject"
	// Withdraw takes back an earlier answer.
	Withdraw Answer = "Withdraw"
)

// maxReason is how long the reason of a vote may be, in bytes.
const maxReason = 1024

// Vote is one member's answer to one proposal. Of several of a member the one with the highest sequence counts, until the
// proposal is accepted.
type Vote struct {
	Position int64  `json:"position"`
	Proposer string `json:"proposer"`
	// Proposal is the digest of its statement.
	Proposal string `json:"proposal"`
	Answer   Answer `json:"answer"`
	// Reason in the voter's own words.
	Reason string `json:"reason,omitempty"`

	Member   string `json:"-"`
	Sequence int64  `json:"-"`
}

// NewVote is the unsigned statement of a vote; its sequence is the caller's.
func NewVote(consortium, member string, sequence int64, v Vote) (v1alpha1.StatementSpec, error) {
	return unsigned(v1alpha1.StatementVote, consortium, member, voteSubject(&v), sequence, v)
}

// ParseVote is the vote in a statement of that kind.
func ParseVote(s *v1alpha1.StatementSpec) (*Vote, error) {
	var v Vote
	if err := decode(s, v1alpha1.StatementVote, &v); err != nil {
		return nil, err
	}
	switch {
	case v.Position < 1 || !isMemberName(v.Proposer) || s.Subject != voteSubject(&v):
		return nil, malformed(invalid("a vote on position %d, proposed by %.60q, with the subject %.60q", v.Position, v.Proposer, s.Subject))
	case !v1alpha1.IsDigest(v.Proposal):
		return nil, malformed(invalid("the proposal is not named by its digest"))
	case v.Answer != Approve && v.Answer != Reject && v.Answer != Withdraw:
		return nil, malformed(invalid("answer: %.40q: write %s, %s or %s", v.Answer, Approve, Reject, Withdraw))
	case len(v.Reason) > maxReason:
		return nil, malformed(invalid("the reason has %d bytes, where %d are the most", len(v.Reason), maxReason))
	}
	v.Member, v.Sequence = s.Member, s.Sequence
	return &v, nil
}

// ballotPayload is what is signed of a Ballot.
type ballotPayload struct {
	Position int64  `json:"position"`
	Number   int64  `json:"number"`
	Proposal string `json:"proposal"`
}

// NewBallot is the unsigned statement of what a member says in a ballot about a position; its sequence is the caller's.
func NewBallot(consortium string, at, sequence int64, b Ballot) (v1alpha1.StatementSpec, error) {
	return unsigned(ballotKind(b.Phase), consortium, b.Member, ballotSubject(at, b.Number), sequence, ballotPayload{at, b.Number, b.Proposal})
}

// ParseBallot is what a member says in a ballot, and about which position.
func ParseBallot(s *v1alpha1.StatementSpec) (Ballot, int64, error) {
	var none Ballot
	phase := Prepare
	if s.Kind == v1alpha1.StatementCommit {
		phase = Commit
	}
	var p ballotPayload
	if err := decode(s, ballotKind(phase), &p); err != nil {
		return none, 0, err
	}
	if p.Position < 1 || p.Number < 0 || s.Subject != ballotSubject(p.Position, p.Number) {
		return none, 0, malformed(invalid("ballot %d about position %d with the subject %.60q", p.Number, p.Position, s.Subject))
	}
	if !v1alpha1.IsDigest(p.Proposal) {
		return none, 0, malformed(invalid("the proposal is not named by its digest"))
	}
	return Ballot{Member: s.Member, Phase: phase, Number: p.Number, Proposal: p.Proposal}, p.Position, nil
}

func ballotKind(phase Phase) v1alpha1.StatementKind {
	if phase == Commit {
		return v1alpha1.StatementCommit
	}
	return v1alpha1.StatementPrepare
}

// Subjects: of two statements of a member, kind and subject the one with the higher sequence is valid.
func position(at int64) string              { return fmt.Sprint(at) }
func voteSubject(v *Vote) string            { return fmt.Sprintf("%d-%s", v.Position, v.Proposer) }
func ballotSubject(at, number int64) string { return fmt.Sprintf("%d.%d", at, number) }

func notNext(s *State, p *Proposal) error {
	return fmt.Errorf("%w: it is for position %d after %.12s, and the log is at %d with %.12s", ErrNotNext, p.Position, p.Previous, s.Position, s.Head)
}
