package ledger

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGenesisRefused is the error of a first block that does not match the plan and the Members' records. Nothing joins
// such a channel, whoever made the block.
var ErrGenesisRefused = errors.New("the channel's first block is invalid")

// ErrGenesisDiffers is the error of a channel of whose first block the Members' signed records show different hashes.
var ErrGenesisDiffers = errors.New("the members hold different first blocks")

// ErrLedgerDiffers is the error of a node that holds another ledger under a channel's name.
var ErrLedgerDiffers = errors.New("a node holds another ledger")

// ErrChannelDiffers is the error of a plan that gives a channel other members or rules than its first block does.
var ErrChannelDiffers = errors.New("the plan differs from the channel's first block")

// ErrNotApproved is the error of a contract that too few Members have approved for it to be committed.
var ErrNotApproved = errors.New("too few members have approved the contract")

// ErrDefinitionDiffers is the error of a contract of which the ledger holds another definition than the plan has.
var ErrDefinitionDiffers = errors.New("the ledger holds another definition")

// Waiting is the error of a step that cannot be done before others have acted.
type Waiting struct {
	// For names the Members that have to act; empty if it is not known which.
	For []string
	// What they have to do, as it reads after "waiting for": "the record of org3".
	What string
	// Cause is the step's own error, if any.
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

// LedgerDiffers is the error of a node that holds another ledger under a channel's name, with how to fix it.
func LedgerDiffers(node, channel string) error {
	return fmt.Errorf("%w: the ledger of %s for channel %s does not begin with this channel's first block; its volume is of an earlier consortium or channel of that name: delete the node's PersistentVolumeClaim if that ledger is not needed any more, or declare the channel or the consortium under another name",
		ErrLedgerDiffers, node, channel)
}
