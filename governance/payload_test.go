package governance

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

func TestPayloadsHaveOneForm(t *testing.T) {
	c := newConsortium(t, majority, "org1", "org2")
	p := c.propose(t, "org1", settlement("org1", "org2"))
	vote, commit := c.vote(t, "org1", &p, Approve), c.commit(t, "org1", 0, &p)
	for _, row := range []struct {
		why      string
		s        v1alpha1.StatementSpec
		old, new string
	}{
		{"a field that nobody knows", p, `{"charter"`, `{"veto":true,"charter"`},
		{"a field twice", p, `{"charter"`, `{"position":2,"charter"`},
		{"white space", p, `{"charter"`, `{ "charter"`},
		{"another order", vote, `{"position":1,"proposer":"org1"`, `{"proposer":"org1","position":1`},
		{"two changes in one", p, `"setChannel"`, `"removeMember":"org2","setChannel"`},
		{"no change", p, `"change":{"setChannel"`, `"change":{"nothing"`},
		{"a second object behind it", vote, `"answer":"Approve"}`, `"answer":"Approve"}{}`},
		{"an answer that there is not", vote, `Approve`, `Maybe`},
		{"a time with a fraction", p, `:00Z"`, `:00.5Z"`},
		{"another time zone", p, `13:00:00Z`, `14:00:00+01:00`},
		{"a position that the subject does not name", commit, `"position":1`, `"position":2`},
		{"a negative ballot", commit, `"number":0`, `"number":-1`},
		{"a charter without members", c.founded[0], `"members":[`, `"members":null,"x":[`},
		{"a member's name in another alphabet", c.founded[0], `"name":"org1"`, `"name":"οrg1"`},
	} {
		t.Run(row.why, func(t *testing.T) {
			s := row.s
			if err := Content(&s); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(s.Payload), row.old) {
				t.Fatalf("%q is not in %s", row.old, s.Payload)
			}
			s.Payload = bytes.Replace(s.Payload, []byte(row.old), []byte(row.new), 1)
			if err := Content(&s); !errors.Is(err, statement.ErrMalformed) {
				t.Errorf("%v", err)
			}
		})
	}
}

func FuzzContent(f *testing.F) {
	c := newConsortium(f, majority, "org1", "org2")
	p := c.propose(f, "org1", settlement("org1", "org2"))
	for _, s := range []v1alpha1.StatementSpec{c.founded[0], p, c.vote(f, "org2", &p, Reject), c.commit(f, "org1", 3, &p)} {
		f.Add(string(s.Kind), s.Subject, s.Payload)
	}
	f.Fuzz(func(t *testing.T, kind, subject string, payload []byte) {
		s := v1alpha1.StatementSpec{Kind: v1alpha1.StatementKind(kind), Consortium: "trade", Member: "org1", Subject: subject, Sequence: 1, Payload: payload}
		if err := Content(&s); err != nil && !errors.Is(err, statement.ErrMalformed) && !errors.Is(err, statement.ErrTooLarge) &&
			!errors.Is(err, statement.ErrWrongMember) {
			t.Errorf("an error of no package: %v", err)
		}
		if proposal, err := ParseProposal(&s); err == nil {
			_, _ = c.state.Apply(proposal)
		}
	})
}

func FuzzAudit(f *testing.F) {
	c := newConsortium(f, majority, "org1", "org2")
	var file bytes.Buffer
	archive, err := NewArchive(&file, c.trust, c.founded)
	if err != nil {
		f.Fatal(err)
	}
	e := c.entry(f, settlement("org1", "org2"), "org1", "org2")
	c.accept(f, e)
	if err := archive.Append(e, c.trust); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, given []byte) {
		if state, err := Audit(bytes.NewReader(given), c.state.Charter, ignore); err == nil && state.Position > 0 && state.Head != c.state.Head {
			t.Errorf("an entry that nobody has signed: %s", state.Head)
		}
	})
}
