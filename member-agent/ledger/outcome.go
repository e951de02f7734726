package ledger

import (
	"errors"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Outcome summarizes several results for a condition.
type Outcome struct {
	Ready bool
	// Reason is the most severe of all, one of v1alpha1's.
	Reason string
	// Message says of everything that is not ready what is wrong or what it waits for.
	Message string
}

type problem struct {
	name string
	err  error
}

// severity orders reasons: Waiting resolves itself, Failed is retried, the others need a person.
var severity = map[string]int{
	v1alpha1.ReasonReady: 0, v1alpha1.ReasonWaiting: 1, v1alpha1.ReasonFailed: 2, v1alpha1.ReasonDefinitionDiffers: 3,
	v1alpha1.ReasonChannelDiffers: 4, v1alpha1.ReasonLedgerDiffers: 5, v1alpha1.ReasonGenesisRefused: 6, v1alpha1.ReasonGenesisDiffers: 7,
}

// errorReasons of the errors that need a person.
var errorReasons = map[error]string{
	ledger.ErrGenesisRefused: v1alpha1.ReasonGenesisRefused, ledger.ErrGenesisDiffers: v1alpha1.ReasonGenesisDiffers,
	ledger.ErrLedgerDiffers: v1alpha1.ReasonLedgerDiffers, ledger.ErrChannelDiffers: v1alpha1.ReasonChannelDiffers,
	ledger.ErrDefinitionDiffers: v1alpha1.ReasonDefinitionDiffers,
}

func summarize(parts []problem) Outcome {
	outcome := Outcome{Ready: true, Reason: v1alpha1.ReasonReady}
	var messages []string
	for _, part := range parts {
		if part.err == nil {
			continue
		}
		outcome.Ready = false
		if reason := worstReason(part.err); severity[reason] > severity[outcome.Reason] {
			outcome.Reason = reason
		}
		messages = append(messages, part.name+": "+message(part.err))
	}
	outcome.Message = strings.Join(messages, "; ")
	return outcome
}

// worstReason is the most severe reason in a tree of errors. The cause of a Waiting does not count.
func worstReason(problem error) string {
	for grave, reason := range errorReasons {
		if problem == grave { //nolint:errorlint // this function walks the tree itself
			return reason
		}
	}
	switch problem := problem.(type) { //nolint:errorlint // likewise
	case *ledger.Waiting:
		return v1alpha1.ReasonWaiting
	case interface{ Unwrap() error }:
		if inner := problem.Unwrap(); inner != nil {
			return worstReason(inner)
		}
	case interface{ Unwrap() []error }:
		reason := v1alpha1.ReasonReady
		for _, inner := range problem.Unwrap() {
			if found := worstReason(inner); severity[found] > severity[reason] {
				reason = found
			}
		}
		return reason
	}
	return v1alpha1.ReasonFailed
}

// maxMessage bounds a message in bytes; nodes' errors can be long.
const maxMessage = 512

// message is an error as one line of a status, without duplicates, of maxMessage bytes at most.
func message(problem error) string {
	if problem == nil {
		return ""
	}
	var said []string
	for _, text := range messages(problem) {
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

// messages are the messages of the joined errors. Of a Waiting, only its own: the call that returned it does not matter.
func messages(problem error) []string {
	if joined, ok := problem.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, inner := range joined.Unwrap() {
			all = append(all, messages(inner)...)
		}
		return all
	}
	var waiting *ledger.Waiting
	if errors.As(problem, &waiting) {
		problem = waiting
	}
	return []string{strings.Join(strings.FieldsFunc(problem.Error(), func(r rune) bool { return r == '\n' }), "; ")}
}
