package ledger

import (
	"context"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// maxPublished is how many bytes of packed first blocks a status carries at a time. The host takes them over and asks
// for the next ones.
const maxPublished = v1alpha1.MaxGenesisBytes

// publish puts the first blocks into the statuses that the plan asks for, and those of which this Member is the Leader
// and the plan knows nothing yet; in the plan's order, as many as there is room for. Each has been checked and pinned.
func publish(ctx context.Context, channels []*channelStep) {
	room := maxPublished
	for _, c := range channels {
		packed := c.status.Genesis
		c.status.Genesis = nil
		if !c.isAsked() || room <= 0 {
			continue
		}
		if len(packed) == 0 {
			var err error
			if packed, err = c.in.Pins.Block(ctx, c.channel.Name); err != nil {
				c.problem = fmt.Errorf("publish the first block of channel %s: %w", c.channel.Name, err)
				continue
			}
		}
		if room -= len(packed); room >= 0 {
			c.status.Genesis = packed
		}
	}
}

// isAsked is whether this Member is to publish the channel's first block.
func (c *channelStep) isAsked() bool {
	if c.pin.Hash == "" {
		return false
	}
	if named := c.channel.GenesisHash; named != "" {
		return c.channel.GenesisRequested && named == c.pin.Hash
	}
	return LeaderOf(c.in.Plan, c.channel) == c.member()
}
