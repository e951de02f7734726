package governance

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// Content checks the payload of every kind of statement that there is, those of governance among them.
func Content(s *v1alpha1.StatementSpec) error {
	var err error
	switch s.Kind {
	case v1alpha1.StatementCharter:
		_, err = ParseCharter(s)
	case v1alpha1.StatementProposal:
		_, err = ParseProposal(s)
	case v1alpha1.StatementVote:
		_, err = ParseVote(s)
	case v1alpha1.StatementPrepare, v1alpha1.StatementCommit:
		_, _, err = ParseBallot(s)
	default:
		err = statement.Content(s)
	}
	return err
}

// NewCharter is the unsigned statement with which a founder agrees to a charter; its sequence is the caller's.
func NewCharter(founder string, sequence int64, c Charter) (v1alpha1.StatementSpec, error) {
	return unsigned(v1alpha1.StatementCharter, c.Consortium, founder, "", sequence, c)
}

// ParseCharter is the charter in a statement of that kind.
func ParseCharter(s *v1alpha1.StatementSpec) (*Charter, error) {
	var c Charter
	if err := decode(s, v1alpha1.StatementCharter, &c); err != nil {
		return nil, err
	}
	if s.Subject != "" || c.Consortium != s.Consortium {
		return nil, malformed(invalid("a charter of %.60q with the subject %.60q", c.Consortium, s.Subject))
	}
	if err := c.validate(); err != nil {
		return nil, malformed(err)
	}
	return &c, nil
}

func unsigned(kind v1alpha1.StatementKind, consortium, member, subject string, sequence int64, payload any) (v1alpha1.StatementSpec, error) {
	text, err := json.Marshal(payload)
	return v1alpha1.StatementSpec{Kind: kind, Consortium: consortium, Member: member, Subject: subject, Sequence: sequence, Payload: text}, err
}

// decode reads a payload that has exactly the form in which it would be written: fields in their order, none that is not
// known, none twice. A field that somebody does not know could change the meaning for whoever does.
func decode(s *v1alpha1.StatementSpec, kind v1alpha1.StatementKind, into any) error {
	if s.Kind != kind {
		return malformed(invalid("a statement of kind %.40q where %s is expected", s.Kind, kind))
	}
	in := json.NewDecoder(bytes.NewReader(s.Payload))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return malformed(err)
	}
	again, err := json.Marshal(into)
	if err != nil {
		return malformed(err)
	}
	if !bytes.Equal(again, s.Payload) {
		return malformed(invalid("the payload is not in canonical form"))
	}
	return nil
}

// malformed is an error of package statement too, as its Check has to give.
func malformed(err error) error { return fmt.Errorf("%w: %w", statement.ErrMalformed, err) }
