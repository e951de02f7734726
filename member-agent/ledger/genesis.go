package ledger

import (
	"context"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Pin is what a Member holds of a channel's first block.
type Pin struct {
	// Hash is the hex SHA-256 of the block's header.
	Hash string
	// Agreed is set once the signed records of all members concerned have the same hash. From then on new nodes join
	// without waiting.
	Agreed bool
}

// Pins keeps a Member's first blocks in its own cluster, one consortium's, so that they outlive the plan, the host and
// the agent.
type Pins interface {
	// All lists the pins by channel, also of channels that are not in the plan.
	All(ctx context.Context) (map[string]Pin, error)
	// Block is the packed block of a pinned channel.
	Block(ctx context.Context, channel string) ([]byte, error)
	// Keep pins a channel's packed block under its hash. It fails where another one is pinned.
	Keep(ctx context.Context, channel, hash string, packed []byte) error
	// Agree notes that everybody concerned has shown the pinned hash.
	Agree(ctx context.Context, channel string) error
	// Forget drops all of them, once the Member's nodes have been taken down.
	Forget(ctx context.Context) error
	// Where tells a person where a channel's pin is, in a few words.
	Where(channel string) string
}

// Blocks are the statements with first blocks.
type Blocks interface {
	// Find is the first block of a channel in a statement: the one that the plan refers to, or the leader's; nil until it has
	// come.
	Find(ctx context.Context, channel v1alpha1.PlanChannel, leader string) ([]byte, error)
	// Publish signs a statement with a channel's packed first block, unless it was signed before, and returns its digest.
	Publish(ctx context.Context, channel string, packed []byte) (digest string, err error)
}
