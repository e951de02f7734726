package governance

import (
	"slices"
	"time"
)

// longest is how many times as long as the first a ballot may become. They grow, so that they are long enough at last for
// whatever the way between the members takes.
const longest = 16

// Clock is a member's place in the ballots about one position. The zero value is the beginning. It may be lost: what a member
// must not forget is what it has said.
type Clock struct {
	Number int64
	// Since is when the member has entered the ballot.
	Since time.Time
}

// Next is what a member says now, and its clock afterwards; it is called at least a few times in the duration of the first
// ballot. Before it is called, Add has been given everything that the member has ever said about this position, from its own
// store: a member that forgets that may say the opposite. The eligible proposals are those that have the consent that the
// charter asks for, can follow from what is in force, and have not expired, as far as this member knows.
//
// After Accepted it says nothing more, and nothing at all if it sees a fork.
func (b *Ballots) Next(self string, eligible []string, at Clock, ballot time.Duration, now time.Time) ([]Ballot, Clock) {
	if !slices.Contains(b.members, self) || len(b.Accepted()) > 0 || b.forked() {
		return nil, at
	}
	if len(eligible) == 0 && len(b.said) == 0 {
		return nil, Clock{} // there is nothing to decide, so time does not run
	}
	if number := max(b.reached(), b.spoken[self]); number > at.Number || at.Since.IsZero() {
		at = Clock{Number: max(number, at.Number), Since: now}
	}
	// Alone nobody goes on, or members that cannot reach each other would end far apart.
	if len(b.members)-len(b.Silent(at.Number)) >= b.quorum && now.Sub(at.Since) >= lasts(ballot, at.Number) {
		at = Clock{Number: at.Number + 1, Since: now}
	}
	var says []Ballot
	say := func(phase Phase, proposal string) {
		s := Ballot{Member: self, Phase: phase, Number: at.Number, Proposal: proposal}
		b.Add(s)
		says = append(says, s)
	}
	if _, spoke := b.own(self, Prepare, at.Number); !spoke {
		if proposal := b.choose(self, eligible, at, ballot, now); proposal != "" {
			say(Prepare, proposal)
		}
	}
	if _, spoke := b.own(self, Commit, at.Number); !spoke && len(b.prepared[at.Number]) == 1 {
		say(Commit, b.prepared[at.Number][0])
	}
	return says, at
}

// choose is the proposal that a member prepares now, or none yet. The leader waits to hear what the others have committed
// before; they wait for the leader, for half of the ballot.
func (b *Ballots) choose(self string, eligible []string, at Clock, ballot time.Duration, now time.Time) string {
	leader, waited := b.leader(at.Number), now.Sub(at.Since)
	if self != leader {
		if proposal, spoke := b.own(leader, Prepare, at.Number); spoke && b.mayPrepare(self, proposal, eligible, at.Number) {
			return proposal
		}
	}
	switch {
	case self == leader && (at.Number == 0 || waited >= lasts(ballot, at.Number)/4):
	case self != leader && waited >= lasts(ballot, at.Number)/2:
	default:
		return ""
	}
	if proposal, _ := b.newest(at.Number); proposal != "" && b.mayPrepare(self, proposal, eligible, at.Number) {
		return proposal
	}
	if proposal, _ := b.locked(self, at.Number); proposal != "" || len(eligible) == 0 {
		return proposal
	}
	// All members take the same one, if they know the same, and another one in the next ballot.
	return slices.Sorted(slices.Values(eligible))[int(at.Number%int64(len(eligible)))]
}

// mayPrepare is the rule that makes the log safe: see Ballots.
func (b *Ballots) mayPrepare(self, proposal string, eligible []string, number int64) bool {
	locked, since := b.locked(self, number)
	if locked == proposal {
		return true
	}
	for n := number - 1; n > since; n-- {
		if slices.Contains(b.prepared[n], proposal) {
			return true
		}
	}
	return locked == "" && slices.Contains(eligible, proposal)
}

// locked is what a member has committed last before a ballot, and in which; "" and -1 if nothing.
func (b *Ballots) locked(self string, before int64) (string, int64) {
	for n := min(before-1, b.spoken[self]); n >= 0; n-- {
		if proposal, spoke := b.own(self, Commit, n); spoke {
			return proposal, n
		}
	}
	return "", -1
}

// newest is the proposal that a quorum has prepared last before a ballot.
func (b *Ballots) newest(before int64) (string, int64) {
	proposal, last := "", int64(-1)
	for n, prepared := range b.prepared {
		if n < before && n > last {
			proposal, last = prepared[0], n
		}
	}
	return proposal, last
}

// reached is the highest ballot in which so many members have spoken, or in a later one, that no quorum is possible without
// one of them: there is no use in staying behind, and no minority of liars can push the others on.
func (b *Ballots) reached() int64 {
	spoken := make([]int64, 0, len(b.spoken))
	for _, n := range b.spoken {
		spoken = append(spoken, n)
	}
	slices.Sort(spoken)
	blocking := len(b.members) - b.quorum + 1
	if len(spoken) < blocking {
		return 0
	}
	return spoken[len(spoken)-blocking]
}

// leader of a ballot: everybody's turn comes.
func (b *Ballots) leader(number int64) string { return b.members[int(number%int64(len(b.members)))] }

// forked is whether two proposals have a quorum in one ballot, which needs more liars than the quorum allows for.
func (b *Ballots) forked() bool {
	for _, prepared := range b.prepared {
		if len(prepared) > 1 {
			return true
		}
	}
	return false
}

// lasts is the duration of a ballot: each is longer than the one before.
func lasts(first time.Duration, number int64) time.Duration {
	return first * time.Duration(min(number+1, longest))
}
