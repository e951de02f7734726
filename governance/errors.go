package governance

import (
	"errors"
	"fmt"
)

// Why something is not in force. Every error of this package is one of these or of package statement, for errors.Is.
var (
	// ErrInvalid: what is signed contradicts itself, the charter or what is in force.
	ErrInvalid = errors.New("invalid")
	// ErrNotNext: a proposal is for another position of the log than the next one, or follows another entry than the last.
	ErrNotNext = errors.New("not the next entry of the log")
	// ErrNoConsent: there are not as many approvals as the charter asks for.
	ErrNoConsent = errors.New("not enough approvals")
	// ErrNoOrder: no quorum of the members has committed the entry.
	ErrNoOrder = errors.New("not committed by a quorum")
	// ErrFork: two entries have been accepted at one position. More members have lied than the charter allows for.
	ErrFork = errors.New("the log is forked")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
