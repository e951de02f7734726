package governance

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// TestLifeOfAConsortium founds one and changes it in every way, and audits the log from a file.
func TestLifeOfAConsortium(t *testing.T) {
	rules := Rules{AnyOther: {Approvals: Majority}, KindSetRules: {Approvals: All}}
	c := newConsortium(t, rules, "org1", "org2", "org3")
	var file bytes.Buffer
	archive, err := NewArchive(&file, c.trust, c.founded)
	if err != nil {
		t.Fatal(err)
	}
	charter := c.state.Charter
	accept := func(change Change, members ...string) {
		t.Helper()
		e := c.entry(t, change, members...)
		c.accept(t, e)
		if err := archive.Append(e, c.trust); err != nil {
			t.Fatal(err)
		}
	}
	accept(settlement("org1", "org2", "org3"), "org1", "org2")
	accept(Change{SetContract: &Contract{Channel: "settlement", Name: "notary", Version: "1.0", Image: image}}, "org2", "org3")
	org4 := c.add(t, "org4")
	joining := org4.member(t)
	accept(Change{AddMember: &joining}, "org1", "org3", "org4")
	accept(settlement("org1", "org2", "org3", "org4"), "org4", "org2", "org1")
	renewed := newOrganization(t, "org2")
	if err := c.trust.Add(renewed.root); err != nil {
		t.Fatal(err)
	}
	member := renewed.member(t)
	accept(Change{SetRoots: &member}, "org1", "org2", "org3")
	c.organizations[1] = renewed
	accept(Change{SetRules: &SetRules{Rules: Rules{AnyOther: {Approvals: TwoThirds}}, Quorum: TwoThirds}}, "org1", "org2", "org3", "org4")
	accept(Change{RemoveMember: "org3"}, "org1", "org2", "org4")
	accept(Change{ArchiveChannel: "settlement"}, "org1", "org2")
	accept(Change{Dissolve: &Dissolution{}}, "org1", "org4")

	if got := c.state.Channels["settlement"].Members; !slices.Equal(got, []string{"org1", "org2", "org4"}) {
		t.Errorf("members of the channel %v", got)
	}
	state, err := Audit(bytes.NewReader(file.Bytes()), charter, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if state.Position != 9 || state.Head != c.state.Head || state.Dissolved == nil {
		t.Errorf("position %d, head %s, dissolved %v", state.Position, state.Head, state.Dissolved)
	}
	if _, err := Audit(bytes.NewReader(file.Bytes()), CharterDigest([]byte("another")), ignore); !errors.Is(err, ErrInvalid) {
		t.Errorf("another charter: %v", err)
	}
}

func TestAppendRejects(t *testing.T) {
	c := newConsortium(t, majority, "org1", "org2", "org3")
	stranger := newOrganization(t, "org2") // has the name, not the root
	good := func() *Entry { return c.entry(t, settlement("org1", "org2", "org3"), "org1", "org2") }
	joining := newOrganization(t, "org4").member(t)
	for _, row := range []struct {
		why   string
		entry func() *Entry
		want  error
	}{
		{"as it should be", good, nil},
		{"too few approvals", func() *Entry { e := good(); e.Votes = e.Votes[:1]; return e }, ErrNoConsent},
		{"one member's approval twice", func() *Entry { e := good(); e.Votes[1] = e.Votes[0]; return e }, ErrNoConsent},
		{"a rejection in place of an approval", func() *Entry { e := good(); e.Votes[1] = c.vote(t, "org2", &e.Proposal, Reject); return e }, ErrNoConsent},
		{"an approval that was withdrawn", func() *Entry {
			e := good()
			e.Votes = append(e.Votes, c.vote(t, "org2", &e.Proposal, Withdraw))
			return e
		}, ErrNoConsent},
		{"approvals of another proposal", func() *Entry { e := good(); e.Votes = good().Votes; return e }, ErrInvalid},
		{"an approval that the host has made up", func() *Entry { e := good(); e.Votes[1].Signature = e.Votes[0].Signature; return e }, statement.ErrSignature},
		{"an approval by a key under another root", func() *Entry {
			e := good()
			s, err := NewVote("trade", "org2", c.next(), Vote{Position: 1, Proposer: "org1", Proposal: statement.Digest(&e.Proposal), Answer: Approve})
			e.Votes[1] = sign(t, stranger.voter, s, err)
			return e
		}, statement.ErrUntrusted},
		{"an approval by the agent's key, which renews without anybody", func() *Entry {
			e := good()
			s, err := NewVote("trade", "org2", c.next(), Vote{Position: 1, Proposer: "org1", Proposal: statement.Digest(&e.Proposal), Answer: Approve})
			e.Votes[1] = sign(t, c.organization("org2").agent, s, err)
			return e
		}, statement.ErrWrongSigner},
		{"a commit is missing", func() *Entry { e := good(); e.Commits = e.Commits[:1]; return e }, ErrNoOrder},
		{"commits of two ballots", func() *Entry { e := good(); e.Commits[1] = c.commit(t, "org2", 1, &e.Proposal); return e }, ErrNoOrder},
		{"a commit about another proposal", func() *Entry { e := good(); e.Commits[1] = good().Commits[1]; return e }, ErrInvalid},
		{"a member joins that has not been asked", func() *Entry { return c.entry(t, Change{AddMember: &joining}, "org1", "org2") }, ErrNoConsent},
		{"another consortium's proposal", func() *Entry {
			e := good()
			other := newConsortium(t, majority, "org1", "org2", "org3")
			e.Proposal = other.propose(t, "org1", settlement("org1"))
			return e
		}, ErrInvalid},
		{"a change after it was signed", func() *Entry {
			e := good()
			e.Proposal.Payload = bytes.Replace(e.Proposal.Payload, []byte("settlement"), []byte("supplement"), 1)
			return e
		}, statement.ErrSignature},
	} {
		t.Run(row.why, func(t *testing.T) {
			if _, err := c.state.Append(row.entry(), c.trust); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
	accepted := good()
	c.accept(t, accepted)
	if _, err := c.state.Append(accepted, c.trust); !errors.Is(err, ErrNotNext) {
		t.Errorf("an entry again: %v", err)
	}
}

func TestFoundRejects(t *testing.T) {
	c := newConsortium(t, majority, "org1", "org2")
	other := newConsortium(t, majority, "org1", "org2")
	for _, row := range []struct {
		why        string
		statements []v1alpha1.StatementSpec
		want       error
	}{
		{"nobody", nil, ErrInvalid},
		{"a founder has not signed", c.founded[:1], ErrNoConsent},
		{"a founder has signed another charter", []v1alpha1.StatementSpec{c.founded[0], other.founded[1]}, ErrInvalid},
		{"the other's roots are not at hand", other.founded, statement.ErrNoRoot},
	} {
		if _, err := Found(row.statements, c.trust); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.why, err, row.want)
		}
	}
}

// TestAuditFindsChanges alters an archive in every fifth of its bytes.
func TestAuditFindsChanges(t *testing.T) {
	c := newConsortium(t, majority, "org1", "org2")
	var file bytes.Buffer
	archive, err := NewArchive(&file, c.trust, c.founded)
	if err != nil {
		t.Fatal(err)
	}
	e := c.entry(t, settlement("org1", "org2"), "org1", "org2")
	c.accept(t, e)
	if err := archive.Append(e, c.trust); err != nil {
		t.Fatal(err)
	}
	given := file.Bytes()
	for i := 0; i < len(given); i += 5 {
		altered := slices.Clone(given)
		altered[i] ^= 1
		state, err := Audit(bytes.NewReader(altered), c.state.Charter, ignore)
		if err == nil && state.Head != c.state.Head {
			t.Fatalf("byte %d, %q to %q: accepted with another outcome", i, given[i], altered[i])
		}
	}
	if _, err := Audit(bytes.NewReader(given[:len(given)-10]), "", ignore); err == nil {
		t.Error("an archive that was cut off is accepted")
	}
}

func TestSameHistory(t *testing.T) {
	for _, row := range []struct {
		why  string
		a, b []string
		want error
	}{
		{"the same", []string{"a", "b"}, []string{"a", "b"}, nil},
		{"one is behind", []string{"a"}, []string{"a", "b"}, nil},
		{"a fork", []string{"a", "b", "d"}, []string{"a", "c", "d"}, ErrFork},
	} {
		if err := SameHistory(row.a, row.b); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

// BenchmarkAudit shows that the time and memory of an audit grow with the log in proportion, and what an entry costs.
func BenchmarkAudit(b *testing.B) {
	c := newConsortium(b, majority, "org1", "org2", "org3")
	var file bytes.Buffer
	archive, err := NewArchive(&file, c.trust, c.founded)
	if err != nil {
		b.Fatal(err)
	}
	for range 200 {
		e := c.entry(b, settlement("org1", "org2", "org3"), "org1", "org2")
		c.accept(b, e)
		if err := archive.Append(e, c.trust); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Audit(bytes.NewReader(file.Bytes()), "", ignore); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/200, "µs/entry")
}
