package governance

import (
	"errors"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// Entry of the log: a proposal, the approvals that it has needed, and the quorum that committed it as the entry at its
// position. Its digest is that of the proposal, which names the entry before it; there may be several sets of approvals and
// commits that prove it.
type Entry struct {
	Proposal v1alpha1.StatementSpec   `json:"proposal"`
	Votes    []v1alpha1.StatementSpec `json:"votes"`
	// Commits of one ballot.
	Commits []v1alpha1.StatementSpec `json:"commits"`
}

// Verifier verifies a member's statement against roots of which it is given the fingerprints, as Member.Roots has them. Its
// content is checked elsewhere.
type Verifier interface {
	Verify(s *v1alpha1.StatementSpec, member, consortium string, roots []string) error
}

// Found is what is in force once these statements are verified: one from each founder, with the same charter.
func Found(statements []v1alpha1.StatementSpec, trust Verifier) (*State, error) {
	if len(statements) == 0 {
		return nil, invalid("the charter is missing")
	}
	charter, err := ParseCharter(&statements[0])
	if err != nil {
		return nil, fmt.Errorf("charter: %w", err)
	}
	state := NewState(charter, statements[0].Payload)
	signed := map[string]bool{}
	for i := range statements {
		s := &statements[i]
		if s.Kind != v1alpha1.StatementCharter || CharterDigest(s.Payload) != state.Charter {
			return nil, invalid("charter: %s has signed another one", s.Member)
		}
		if err := trust.Verify(s, s.Member, charter.Consortium, state.Roots(s.Member)); err != nil {
			return nil, fmt.Errorf("charter: the signature of %.60s: %w", s.Member, err)
		}
		signed[s.Member] = true
	}
	for _, m := range charter.Members {
		if !signed[m.Name] {
			return nil, fmt.Errorf("%w: charter: %s has not signed it", ErrNoConsent, m.Name)
		}
	}
	return state, nil
}

// Append verifies an entry and applies it.
func (s *State) Append(e *Entry, trust Verifier) (*State, error) {
	p, err := ParseProposal(&e.Proposal)
	if err != nil {
		return nil, fmt.Errorf("proposal: %w", err)
	}
	next, err := s.Apply(p)
	if err != nil {
		return nil, fmt.Errorf("proposal: %w", err)
	}
	if err := trust.Verify(&e.Proposal, p.Proposer, s.Consortium, s.Roots(p.Proposer)); err != nil {
		return nil, fmt.Errorf("proposal: the signature of %s: %w", p.Proposer, err)
	}
	if err := s.checkVotes(p, e.Votes, trust); err != nil {
		return nil, err
	}
	return next, s.checkCommits(p, e.Commits, trust)
}

func (s *State) checkVotes(p *Proposal, statements []v1alpha1.StatementSpec, trust Verifier) error {
	if len(statements) > maxMembers+1 {
		return invalid("%d votes, where there are %d members", len(statements), len(s.Members))
	}
	var votes []*Vote
	for i := range statements {
		v, err := ParseVote(&statements[i])
		if err != nil {
			return fmt.Errorf("vote of %.60s: %w", statements[i].Member, err)
		}
		if v.Proposal != p.Digest {
			return invalid("vote of %s: it is about another proposal", v.Member)
		}
		if err := trust.Verify(&statements[i], v.Member, s.Consortium, s.votersRoots(p, v.Member)); err != nil {
			return fmt.Errorf("vote: the signature of %s: %w", v.Member, err)
		}
		votes = append(votes, v)
	}
	if t := s.Tally(p, votes); !t.Consented() {
		if t.Joining != "" {
			return fmt.Errorf("%w: %s, which is to join, does not approve", ErrNoConsent, t.Joining)
		}
		return fmt.Errorf("%w: %d of %d needed for %s", ErrNoConsent, len(t.Approved), t.Needed, p.Kind)
	}
	return nil
}

// votersRoots are a member's, and for the one that is to join those in the proposal.
func (s *State) votersRoots(p *Proposal, voter string) []string {
	if p.Kind == KindAddMember && p.Change.AddMember.Name == voter {
		return p.Change.AddMember.Roots
	}
	return s.Roots(voter)
}

func (s *State) checkCommits(p *Proposal, statements []v1alpha1.StatementSpec, trust Verifier) error {
	if len(statements) > maxMembers {
		return invalid("%d commits, where there are %d members", len(statements), len(s.Members))
	}
	ballots := NewBallots(s.Names(), s.QuorumSize())
	for i := range statements {
		b, position, err := ParseBallot(&statements[i])
		if err != nil {
			return fmt.Errorf("commit of %.60s: %w", statements[i].Member, err)
		}
		if b.Phase != Commit || position != p.Position || b.Proposal != p.Digest {
			return invalid("commit of %s: it is about something else", b.Member)
		}
		if err := trust.Verify(&statements[i], b.Member, s.Consortium, s.Roots(b.Member)); err != nil {
			return fmt.Errorf("commit: the signature of %s: %w", b.Member, err)
		}
		ballots.Add(b)
	}
	if len(ballots.Accepted()) == 0 {
		return fmt.Errorf("%w: a quorum is %d of %d members, in one ballot", ErrNoOrder, s.QuorumSize(), len(s.Members))
	}
	return nil
}

// SameHistory compares two members' logs, given as the digests of their entries by position, from 1. One may be behind the
// other; where they differ is a fork, and nobody may act on either.
func SameHistory(a, b []string) error {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("%w: entry %d is %.12s in one log and %.12s in another", ErrFork, i+1, a[i], b[i])
		}
	}
	return nil
}

// Certificates are root certificates in PEM by the hex SHA-256 of their DER: all that a Verifier needs. Where they come from
// does not matter.
type Certificates map[string]string

// Add adds the certificates of a PEM text.
func (c Certificates) Add(text string) error {
	roots, err := statement.ParseRoot(text)
	if err != nil {
		return err
	}
	for _, root := range roots {
		c[fingerprint(root)] = encodePEM(root)
	}
	return nil
}

// Verify implements Verifier. A statement in a log may be years old, and its certificate has ended since: it is verified for
// the time when that began to be valid. An old key that somebody has found is of no use to forge an entry with, since a
// quorum's commits are needed, and the other members have the log.
func (c Certificates) Verify(s *v1alpha1.StatementSpec, member, consortium string, roots []string) error {
	pem := ""
	for _, root := range roots {
		pem += c[root]
	}
	if pem == "" {
		return fmt.Errorf("%w: none of the root certificates of %.60q is at hand", statement.ErrNoRoot, member)
	}
	at, err := statement.IssuedAt(s)
	if err != nil {
		return err
	}
	return statement.Verify(s, pem, member, consortium, at, anyContent)
}

// anyContent is the check of statements whose content has been checked.
func anyContent(s *v1alpha1.StatementSpec) error {
	if s.Kind == "" {
		return errors.New("no kind")
	}
	return nil
}
