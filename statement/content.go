package statement

import (
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Content checks the payload of every kind of statement that there is. Unknown fields are ignored, so that a newer agent can
// talk to an older one; a kind that is not known is an error.
func Content(s *v1alpha1.StatementSpec) error {
	var err error
	switch s.Kind {
	case v1alpha1.StatementRecord:
		_, err = Record(s)
	case v1alpha1.StatementHoldings:
		_, err = Holdings(s)
	case v1alpha1.StatementGenesis:
		_, err = Genesis(s)
	default:
		err = fmt.Errorf("%w: kind %.40q", ErrMalformed, s.Kind)
	}
	return err
}

func withoutSubject(s *v1alpha1.StatementSpec) error {
	if s.Subject != "" {
		return fmt.Errorf("%w: a statement of kind %s has the subject %.80q", ErrMalformed, s.Kind, s.Subject)
	}
	return nil
}

// isChannel is whether a text is a channel's name.
func isChannel(name string) bool {
	return v1alpha1.IsLabel(name) && len(name) <= v1alpha1.MaxMemberName
}
