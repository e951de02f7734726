package governance

import (
	"errors"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func root(digit byte) string {
	text := make([]byte, 64)
	for i := range text {
		text[i] = digit
	}
	return string(text)
}

// trade is three members with a channel among two of them, which org1 leads, and a contract on it.
func trade(t *testing.T) *State {
	t.Helper()
	charter := Charter{
		Consortium: "trade", Ledger: v1alpha1.LedgerFabric, Quorum: Majority,
		Members: []Member{{"org1", []string{root('1')}}, {"org2", []string{root('2')}}, {"org3", []string{root('3')}}},
		Rules:   Rules{AnyOther: {Approvals: Majority}, KindSetRules: {Approvals: All, Proposers: []string{"org2"}}},
	}
	if err := charter.validate(); err != nil {
		t.Fatal(err)
	}
	s := NewState(&charter, []byte("charter"))
	for _, c := range []Change{
		settlement("org1", "org2"),
		{SetContract: &Contract{Channel: "settlement", Name: "notary", Version: "1", Image: image}},
	} {
		p := proposal(t, s, "org1", c)
		p.Digest = root('e')
		var err error
		if s, err = s.Apply(p); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func proposal(t *testing.T, s *State, proposer string, c Change) *Proposal {
	t.Helper()
	kind, err := c.Kind()
	if err != nil {
		t.Fatal(err)
	}
	return &Proposal{
		Charter: s.Charter, Position: s.Position + 1, Previous: s.Head, Expires: today.Add(time.Hour), Change: c,
		Proposer: proposer, Digest: root('d'), Kind: kind,
	}
}

func TestApply(t *testing.T) {
	contract := func(edit func(*Contract)) Change {
		c := Contract{Channel: "settlement", Name: "notary", Version: "2", Image: image}
		edit(&c)
		return Change{SetContract: &c}
	}
	channel := func(edit func(*Channel)) Change {
		c := *settlement("org1", "org2").SetChannel
		edit(&c)
		return Change{SetChannel: &c}
	}
	for _, row := range []struct {
		why      string
		proposer string
		change   Change
		want     error
	}{
		{"a contract is upgraded", "org2", contract(func(*Contract) {}), nil},
		{"its image can be moved under them", "org1", contract(func(c *Contract) { c.Image = "ghcr.io/hanse-io/notary:1" }), ErrInvalid},
		{"it is for a channel that there is not", "org1", contract(func(c *Contract) { c.Channel = "freight" }), ErrInvalid},
		{"its data would go to somebody who is not in the channel", "org1", contract(func(c *Contract) {
			c.Collections = []v1alpha1.Collection{{Name: "prices", Members: []string{"org3"}}}
		}), ErrInvalid},
		{"a channel gets another member", "org1", settlement("org1", "org2", "org3"), nil},
		{"a channel's member is no member", "org1", settlement("org1", "org9"), ErrInvalid},
		{"a channel without orderers", "org1", channel(func(c *Channel) { c.Orderers = nil }), ErrInvalid},
		{"a channel led from outside", "org1", channel(func(c *Channel) { c.Leader = "org3" }), ErrInvalid},
		{"members in two orders would be two texts", "org1", channel(func(c *Channel) { c.Members = []string{"org2", "org1"} }), ErrInvalid},
		{"a channel is archived", "org3", Change{ArchiveChannel: "settlement"}, nil},
		{"a channel that there is not", "org3", Change{ArchiveChannel: "freight"}, ErrInvalid},
		{"somebody joins", "org1", Change{AddMember: &Member{"org4", []string{root('4')}}}, nil},
		{"somebody joins twice", "org1", Change{AddMember: &Member{"org3", []string{root('4')}}}, ErrInvalid},
		{"somebody joins without a root", "org1", Change{AddMember: &Member{Name: "org4"}}, ErrInvalid},
		{"a member is removed", "org1", Change{RemoveMember: "org3"}, nil},
		{"the only one that may propose new rules", "org1", Change{RemoveMember: "org2"}, ErrInvalid},
		{"somebody that is not there is removed", "org1", Change{RemoveMember: "org9"}, ErrInvalid},
		{"rules by whoever may set them", "org2", Change{SetRules: &SetRules{Rules: majority, Quorum: All}}, nil},
		{"rules by another", "org1", Change{SetRules: &SetRules{Rules: majority, Quorum: All}}, ErrInvalid},
		{"rules that leave a kind without one", "org2", Change{SetRules: &SetRules{Rules: Rules{KindDissolve: {Approvals: All}}, Quorum: All}}, ErrInvalid},
		{"a quorum that is no majority", "org2", Change{SetRules: &SetRules{Rules: majority, Quorum: AtLeast}}, ErrInvalid},
		{"by a stranger", "org9", settlement("org1"), ErrInvalid},
		{"the end", "org1", Change{Dissolve: &Dissolution{}}, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			before := trade(t)
			after, err := before.Apply(proposal(t, before, row.proposer, row.change))
			if !errors.Is(err, row.want) || (err == nil) != (after != nil) {
				t.Fatalf("%v, want %v", err, row.want)
			}
			if again := trade(t); len(before.Members) != len(again.Members) || before.Head != again.Head || len(before.Channels["settlement"].Members) != 2 || len(before.Archived) != 0 {
				t.Error("the state before has changed")
			}
			if err == nil && (after.Position != 3 || after.Head != root('d')) {
				t.Errorf("position %d, head %s", after.Position, after.Head)
			}
		})
	}
}

func TestApplyOrder(t *testing.T) {
	s := trade(t)
	for _, row := range []struct {
		why  string
		edit func(*Proposal)
		want error
	}{
		{"another charter", func(p *Proposal) { p.Charter = root('0') }, ErrInvalid},
		{"an earlier position", func(p *Proposal) { p.Position-- }, ErrNotNext},
		{"a later one", func(p *Proposal) { p.Position++ }, ErrNotNext},
		{"after another entry", func(p *Proposal) { p.Previous = root('0') }, ErrNotNext},
	} {
		p := proposal(t, s, "org1", settlement("org1"))
		row.edit(p)
		if _, err := s.Apply(p); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.why, err, row.want)
		}
	}
	s.Dissolved = &Dissolution{}
	if _, err := s.Apply(proposal(t, s, "org1", settlement("org1"))); !errors.Is(err, ErrInvalid) {
		t.Errorf("after the end: %v", err)
	}
}

func TestTally(t *testing.T) {
	s := trade(t)
	vote := func(sequence int64, member string, a Answer) *Vote {
		return &Vote{Proposal: root('d'), Member: member, Answer: a, Sequence: sequence}
	}
	join := Change{AddMember: &Member{"org4", []string{root('4')}}}
	for _, row := range []struct {
		why    string
		change Change
		votes  []*Vote
		late   bool
		want   Outcome
	}{
		{"nobody has voted", settlement("org1"), nil, false, Open},
		{"one of three", settlement("org1"), []*Vote{vote(1, "org1", Approve)}, false, Open},
		{"two of three", settlement("org1"), []*Vote{vote(1, "org1", Approve), vote(1, "org3", Approve)}, false, Consented},
		{"somebody's second thoughts", settlement("org1"), []*Vote{vote(2, "org3", Withdraw), vote(1, "org1", Approve), vote(1, "org3", Approve)}, false, Open},
		{"and third", settlement("org1"), []*Vote{vote(1, "org1", Approve), vote(2, "org3", Reject), vote(3, "org3", Approve)}, false, Consented},
		{"a stranger's vote", settlement("org1"), []*Vote{vote(1, "org1", Approve), vote(1, "org9", Approve)}, false, Open},
		{"two against it", settlement("org1"), []*Vote{vote(1, "org1", Reject), vote(1, "org3", Reject)}, false, Rejected},
		{"one of two, too late", settlement("org1"), []*Vote{vote(1, "org1", Approve)}, true, Expired},
		{"two of three in time are enough later", settlement("org1"), []*Vote{vote(1, "org1", Approve), vote(1, "org2", Approve)}, true, Consented},
		{"the one to be removed has no vote", Change{RemoveMember: "org3"}, []*Vote{vote(1, "org1", Approve), vote(1, "org3", Approve)}, false, Open},
		{"the others have", Change{RemoveMember: "org3"}, []*Vote{vote(1, "org1", Approve), vote(1, "org2", Approve), vote(1, "org3", Reject)}, false, Consented},
		{"nobody joins without being asked", join, []*Vote{vote(1, "org1", Approve), vote(1, "org2", Approve)}, false, Open},
		{"who wants to join does not let itself in", join, []*Vote{vote(1, "org1", Approve), vote(1, "org4", Approve)}, false, Open},
		{"both want", join, []*Vote{vote(1, "org1", Approve), vote(1, "org2", Approve), vote(1, "org4", Approve)}, false, Consented},
		{"it cannot follow", settlement("org9"), nil, false, Invalid},
	} {
		t.Run(row.why, func(t *testing.T) {
			p, now := proposal(t, s, "org1", row.change), today
			if row.late {
				now = p.Expires
			}
			if got, why := s.Outcome(p, row.votes, now); got != row.want || why == "" {
				t.Errorf("%s (%s), want %s", got, why, row.want)
			}
			if eligible := len(s.Eligible([]*Proposal{p, p}, row.votes, now)) == 1; eligible != (row.want == Consented && !row.late) {
				t.Errorf("eligible: %v", eligible)
			}
		})
	}
}

func TestThreshold(t *testing.T) {
	for _, row := range []struct {
		why            string
		threshold      Threshold
		number, n, out int
	}{
		{"half of an even number is not enough", Majority, 0, 4, 3}, {"one of one", Majority, 0, 1, 1}, {"two of three", Majority, 0, 3, 2},
		{"exactly two thirds will do", TwoThirds, 0, 3, 2}, {"and of six", TwoThirds, 0, 6, 4}, {"rounded up", TwoThirds, 0, 4, 3},
		{"2f+1 of 3f+1", TwoThirds, 0, 7, 5}, {"all", All, 0, 5, 5}, {"a number", AtLeast, 2, 5, 2}, {"more than there are", AtLeast, 9, 5, 5},
	} {
		if got := row.threshold.of(row.n, row.number); got != row.out {
			t.Errorf("%s: %d, want %d", row.why, got, row.out)
		}
	}
}
