package ledger

import (
	"context"
	"fmt"

	"github.com/hanse-io/hanse/ledger"
)

// publishGenesis publishes statements with first blocks, each of which has been checked and pinned: those that the plan
// requests, and those of which this Member is the Leader and that the plan does not name yet. The statuses refer to them.
func publishGenesis(ctx context.Context, channels []*channelStep) {
	for _, c := range channels {
		c.status.Genesis = ""
		if !c.shouldPublish() {
			continue
		}
		if err := c.publish(ctx); err != nil {
			c.problem = fmt.Errorf("publish the first block of channel %s: %w", c.channel.Name, err)
		}
	}
}

func (c *channelStep) publish(ctx context.Context) error {
	packed, err := c.in.Pins.Block(ctx, c.channel.Name)
	if err != nil {
		return err
	}
	c.status.Genesis, err = c.in.Blocks.Publish(ctx, c.channel.Name, packed)
	return err
}

// shouldPublish is whether this Member is to publish the channel's first block.
func (c *channelStep) shouldPublish() bool {
	if c.pin.Hash == "" {
		return false
	}
	if named := c.channel.GenesisHash; named != "" {
		return c.channel.GenesisRequested && named == c.pin.Hash
	}
	return ledger.LeaderOf(c.in.Plan, c.channel) == c.member()
}
