// Package refusal is how a contract says no: a stable code that programs can
// act on, and a sentence that tells a person what is wrong and how to fix it.
//
// It knows nothing of any contract. An endorser hands only the text of an error
// on to the client, so the code is the first word of that text.
package refusal

import (
	"errors"
	"fmt"
)

// Code is the first word of every error that a contract returns. Codes are part
// of a contract's interface and do not change their meaning.
type Code string

const (
	// Invalid means that an argument is malformed or out of its limits; the same call can never succeed.
	Invalid Code = "INVALID_ARGUMENT"
	// NotFound means that the ledger holds nothing under the given name.
	NotFound Code = "NOT_FOUND"
	// Exists means that the name is already taken.
	Exists Code = "ALREADY_EXISTS"
	// Denied means that the caller's organization or identity may not do this.
	Denied Code = "PERMISSION_DENIED"
	// Insufficient means that the account does not hold what the transfer asks for.
	Insufficient Code = "INSUFFICIENT_FUNDS"
	// Overflow means that a sum would pass the largest amount, 18446744073709551615.
	Overflow Code = "OVERFLOW"
	// Ledger means that the peer failed to read or write; the call may be tried again.
	Ledger Code = "LEDGER_FAILURE"
)

// Error is a refusal with its code.
type Error struct {
	Code   Code
	Reason string
	cause  error
}

// Error puts the code first, because the text is all that reaches a client.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Reason }

// Unwrap gives the peer's own error, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// Because refuses with a reason.
func (c Code) Because(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: c, Reason: err.Error(), cause: errors.Unwrap(err)}
}

// Is tells whether err is a refusal with this code.
func (c Code) Is(err error) bool {
	var refused *Error
	return errors.As(err, &refused) && refused.Code == c
}
