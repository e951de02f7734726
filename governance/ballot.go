package governance

import (
	"slices"
)

// Phase is the first or the second half of a ballot.
type Phase string

const (
	// Prepare: the member wants this proposal as the next entry, and says so about no other in the same ballot.
	Prepare Phase = "Prepare"
	// Commit: the member has seen a quorum of Prepares for this proposal in this ballot. From then on it prepares another one
	// only if a quorum has prepared that one in a later ballot.
	Commit Phase = "Commit"
)

// Ballot is what one member says about the next entry of the log, in one of the ballots about it.
type Ballot struct {
	Member string
	Phase  Phase
	// Number of the ballot, from 0.
	Number int64
	// Proposal is the digest of the proposal's statement.
	Proposal string
}

// Ballots are all that is known of the ballots about one position of the log. The protocol is Tendermint's two rounds of
// voting (arXiv:1807.04938), with two differences that suit a few organizations that decide rarely: every member may start, and
// a leader is only preferred, so that one that is away costs half a ballot and no more.
//
// Why there are no two entries at one position. Let q be the quorum, n the number of members, and let fewer than 2q-n of
// them lie. Two quorums share an honest member. In one ballot an honest member prepares one proposal, so at most one has a
// quorum of Prepares there, and only that one can be committed. If a quorum has committed X in ballot b, take the first later
// ballot in which another proposal Y has a quorum of Prepares: an honest member has committed X in b and prepared Y there.
// It did so only because a quorum had prepared Y in a ballot after b and before that one, which then was not the first.
type Ballots struct {
	members []string // sorted
	quorum  int
	// said has who has said what; one who lies may have said two things.
	said map[said]map[string]bool
	// first is the first proposal of each member in a phase of a ballot, to find those who say two things.
	first map[speech]string
	// spoken is the highest ballot in which a member has spoken, from 0; members that have not are missing.
	spoken map[string]int64
	// prepared are the proposals with a quorum of Prepares, by ballot.
	prepared map[int64][]string
	accepted []Acceptance
	// count is how much of each member is kept.
	count map[string]int
}

// maxBallots is how much of what one member says about a position is kept; the rest of it is ignored. An honest one is heard
// twice in a ballot, and few positions take more than a handful.
const maxBallots = 1024

type said struct {
	number   int64
	phase    Phase
	proposal string
}

type speech struct {
	number int64
	phase  Phase
	member string
}

// Acceptance is a quorum of Commits.
type Acceptance struct {
	Number   int64
	Proposal string
}

// NewBallots is for a position that these members decide on. The quorum is from Charter.Quorum, more than half of them.
func NewBallots(members []string, quorum int) *Ballots {
	return &Ballots{
		members: slices.Sorted(slices.Values(members)), quorum: quorum,
		said: map[said]map[string]bool{}, first: map[speech]string{}, spoken: map[string]int64{}, prepared: map[int64][]string{}, count: map[string]int{},
	}
}

// Add notes what a member has said. Its signature has been verified. What it says twice counts once, and what it says
// differently counts for both proposals, since others may have heard either; false means that it has done so: it lies, or
// has lost its own memory.
func (b *Ballots) Add(s Ballot) bool {
	if !slices.Contains(b.members, s.Member) || s.Number < 0 || (s.Phase != Prepare && s.Phase != Commit) || b.count[s.Member] == maxBallots {
		return true
	}
	honest := true
	if first, known := b.first[speech{s.Number, s.Phase, s.Member}]; !known {
		b.first[speech{s.Number, s.Phase, s.Member}] = s.Proposal
	} else {
		honest = first == s.Proposal
	}
	key := said{s.Number, s.Phase, s.Proposal}
	if b.said[key] == nil {
		b.said[key] = map[string]bool{}
	}
	if b.said[key][s.Member] {
		return honest
	}
	b.said[key][s.Member] = true
	b.count[s.Member]++
	b.spoken[s.Member] = max(b.spoken[s.Member], s.Number)
	if len(b.said[key]) == b.quorum {
		switch s.Phase {
		case Prepare:
			b.prepared[s.Number] = append(b.prepared[s.Number], s.Proposal)
		case Commit:
			b.accepted = append(b.accepted, Acceptance{s.Number, s.Proposal})
		}
	}
	return honest
}

// Accepted is the proposal that a quorum has committed. There are several only if more members lie than the quorum allows
// for: that is a fork, and nobody may act on either.
func (b *Ballots) Accepted() []Acceptance {
	var different []Acceptance
	for _, a := range b.accepted {
		if !slices.ContainsFunc(different, func(d Acceptance) bool { return d.Proposal == a.Proposal }) {
			different = append(different, a)
		}
	}
	return different
}

// Silent are the members that have not spoken in a ballot, nor in a later one, sorted: who is waited for.
func (b *Ballots) Silent(number int64) []string {
	var silent []string
	for _, m := range b.members {
		if last, spoke := b.spoken[m]; !spoke || last < number {
			silent = append(silent, m)
		}
	}
	return silent
}

// own is what a member has said in a phase of a ballot, if it has.
func (b *Ballots) own(self string, phase Phase, number int64) (string, bool) {
	proposal, spoke := b.first[speech{number, phase, self}]
	return proposal, spoke
}
