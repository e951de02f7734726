package ledger

import (
	"errors"
	"strings"
)

// ErrGenesisRefused is the error of a first block that is not what the plan and the Members' records say. Nothing joins
// such a channel, whoever made the block.
var ErrGenesisRefused = errors.New("the channel's first block was refused")

// ErrNotApproved is the error of a contract that too few Members have approved for it to be committed.
var ErrNotApproved = errors.New("too few members have approved the contract")

// Waiting is the error of a step that nothing is wrong with and that others have to move first.
type Waiting struct {
	// For names the Members that have to move; empty if it is not known which.
	For []string
	// What they have to do, as it reads after "waiting for": "the record of org3".
	What string
	// Cause is what the waiting step said itself, if anything.
	Cause error
}

// WaitingFor is the error of a step that waits for something of some Members: "the record of" "org2", "org3".
func WaitingFor(what string, members ...string) *Waiting {
	return &Waiting{For: members, What: strings.TrimSpace(what + " " + strings.Join(members, ", "))}
}

func (w *Waiting) Error() string {
	if w.Cause == nil {
		return "waiting for " + w.What
	}
	return "waiting for " + w.What + ": " + w.Cause.Error()
}

func (w *Waiting) Unwrap() error { return w.Cause }
