package ledger

import (
	"errors"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Verdict sums several things up, for a condition.
type Verdict struct {
	Ready bool
	// Reason is one of v1alpha1's, the gravest of all.
	Reason string
	// Message says of everything that is not ready what is wrong or what it waits for.
	Message string
}

type part struct {
	name    string
	problem error
}

// gravity orders reasons: what waits mends itself, what failed is tried again, what was refused needs a person.
var gravity = map[string]int{
	v1alpha1.ReasonReady: 0, v1alpha1.ReasonWaiting: 1, v1alpha1.ReasonFailed: 2, v1alpha1.ReasonDefinitionDiffers: 3,
	v1alpha1.ReasonChannelDiffers: 4, v1alpha1.ReasonLedgerDiffers: 5, v1alpha1.ReasonGenesisRefused: 6, v1alpha1.ReasonGenesisDiffers: 7,
}

// reasons of the errors that need a person.
var reasons = map[error]string{
	ErrGenesisRefused: v1alpha1.ReasonGenesisRefused, ErrGenesisDiffers: v1alpha1.ReasonGenesisDiffers,
	ErrLedgerDiffers: v1alpha1.ReasonLedgerDiffers, ErrChannelDiffers: v1alpha1.ReasonChannelDiffers,
	ErrDefinitionDiffers: v1alpha1.ReasonDefinitionDiffers,
}

func sum(parts []part) Verdict {
	verdict := Verdict{Ready: true, Reason: v1alpha1.ReasonReady}
	var messages []string
	for _, part := range parts {
		if part.problem == nil {
			continue
		}
		verdict.Ready = false
		if reason := reasonOf(part.problem); gravity[reason] > gravity[verdict.Reason] {
			verdict.Reason = reason
		}
		messages = append(messages, part.name+": "+message(part.problem))
	}
	verdict.Message = strings.Join(messages, "; ")
	return verdict
}

// reasonOf is the gravest reason in a tree of errors. What made a step wait does not count beside its waiting.
func reasonOf(problem error) string {
	for grave, reason := range reasons {
		if problem == grave { //nolint:errorlint // this function walks the tree itself
			return reason
		}
	}
	switch problem := problem.(type) { //nolint:errorlint // likewise
	case *Waiting:
		return v1alpha1.ReasonWaiting
	case interface{ Unwrap() error }:
		if inner := problem.Unwrap(); inner != nil {
			return reasonOf(inner)
		}
	case interface{ Unwrap() []error }:
		reason := v1alpha1.ReasonReady
		for _, inner := range problem.Unwrap() {
			if found := reasonOf(inner); gravity[found] > gravity[reason] {
				reason = found
			}
		}
		return reason
	}
	return v1alpha1.ReasonFailed
}

// maxMessage keeps a status readable; what nodes say can be long.
const maxMessage = 512

// message is an error as it stands in a status: one line, not too long, and nothing twice.
func message(problem error) string {
	if problem == nil {
		return ""
	}
	var said []string
	for _, text := range sentences(problem) {
		if !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	text := strings.Join(said, "; ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}

// sentences are what the errors say that were joined. Of one that waits, only that: it does not matter in which call it
// found out.
func sentences(problem error) []string {
	if joined, ok := problem.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, inner := range joined.Unwrap() {
			all = append(all, sentences(inner)...)
		}
		return all
	}
	var waiting *Waiting
	if errors.As(problem, &waiting) {
		problem = waiting
	}
	return []string{strings.Join(strings.FieldsFunc(problem.Error(), func(r rune) bool { return r == '\n' }), "; ")}
}
