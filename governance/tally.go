package governance

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tally is who has answered what to a proposal.
type Tally struct {
	// Needed approvals of the members that may vote.
	Needed int
	// Approved, Rejected and Waiting are the members that may vote, sorted.
	Approved, Rejected, Waiting []string
	// Joining is the member that the proposal adds and that has not approved of it. It has no vote, but its consent is needed.
	Joining string
}

// Tally counts the newest vote of each member for a proposal that follows from the state. Votes for other proposals are
// passed over.
func (s *State) Tally(p *Proposal, votes []*Vote) Tally {
	newest := map[string]*Vote{}
	for _, v := range votes {
		if v.Proposal == p.Digest && (newest[v.Member] == nil || newest[v.Member].Sequence < v.Sequence) {
			newest[v.Member] = v
		}
	}
	voters := s.Names()
	if p.Kind == KindRemoveMember {
		voters = without(voters, p.Change.RemoveMember)
	}
	rule := s.Rules.rule(p.Kind)
	t := Tally{Needed: rule.Approvals.of(len(voters), rule.Number)}
	for _, member := range voters {
		switch v := newest[member]; {
		case v != nil && v.Answer == Approve:
			t.Approved = append(t.Approved, member)
		case v != nil && v.Answer == Reject:
			t.Rejected = append(t.Rejected, member)
		default:
			t.Waiting = append(t.Waiting, member)
		}
	}
	if p.Kind == KindAddMember {
		if v := newest[p.Change.AddMember.Name]; v == nil || v.Answer != Approve {
			t.Joining = p.Change.AddMember.Name
		}
	}
	return t
}

// Consented is whether the proposal has the consent that it needs.
func (t Tally) Consented() bool { return len(t.Approved) >= t.Needed && t.Joining == "" }

// Outcome of a proposal, as one member sees it.
type Outcome string

const (
	// Open: more votes are needed.
	Open Outcome = "Open"
	// Consented: there are enough votes, and the members agree on its place in the log.
	Consented Outcome = "Consented"
	// Accepted: it is in the log.
	Accepted Outcome = "Accepted"
	// Rejected: there are so many rejections that it cannot be accepted any more, unless a member changes its vote.
	Rejected Outcome = "Rejected"
	// Expired: it did not have enough votes in time.
	Expired Outcome = "Expired"
	// Superseded: another proposal took its position. It can be proposed again, after that one.
	Superseded Outcome = "Superseded"
	// Invalid: it cannot follow from what is in force.
	Invalid Outcome = "Invalid"
)

// Outcome of a proposal for the next position, or of another one than the entry for the last, and a sentence about it.
func (s *State) Outcome(p *Proposal, votes []*Vote, now time.Time) (Outcome, string) {
	if p.Digest == s.Head {
		return Accepted, fmt.Sprintf("entry %d of the log", p.Position)
	}
	if p.Position <= s.Position {
		return Superseded, fmt.Sprintf("another proposal is entry %d of the log: propose it again, after entry %d", p.Position, s.Position)
	}
	if _, err := s.Apply(p); err != nil {
		return Invalid, err.Error()
	}
	t := s.Tally(p, votes)
	switch {
	case t.Consented():
		return Consented, fmt.Sprintf("approved by %s; the members' agents agree on its place in the log", strings.Join(t.Approved, ", "))
	case len(t.Approved)+len(t.Waiting) < t.Needed:
		return Rejected, fmt.Sprintf("rejected by %s; %d approvals are needed, and no more than %d are possible", strings.Join(t.Rejected, ", "), t.Needed, len(t.Approved)+len(t.Waiting))
	case !now.Before(p.Expires):
		return Expired, fmt.Sprintf("%d of %d approvals at %s: propose it again", len(t.Approved), t.Needed, p.Expires.Format(time.RFC3339))
	}
	waiting := slices.Clone(t.Waiting)
	if t.Joining != "" {
		waiting = append(waiting, t.Joining+", which is to join")
	}
	return Open, fmt.Sprintf("%d of %d approvals; waiting for %s", len(t.Approved), t.Needed, strings.Join(waiting, ", "))
}

// Eligible are the digests of those proposals that a member may prepare as the next entry (see Ballots.Next), sorted.
func (s *State) Eligible(proposals []*Proposal, votes []*Vote, now time.Time) []string {
	var eligible []string
	for _, p := range proposals {
		if outcome, _ := s.Outcome(p, votes, now); outcome == Consented && now.Before(p.Expires) {
			eligible = append(eligible, p.Digest)
		}
	}
	slices.Sort(eligible)
	return slices.Compact(eligible)
}
