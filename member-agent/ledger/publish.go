package ledger

import (
	"context"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// maxPublishedBytes is the maximum size of the packed first blocks in a status. The host stores them and requests the next
// ones.
const maxPublishedBytes = v1alpha1.MaxGenesisBytes

// publishGenesis puts first blocks into the statuses: those that the plan requests, and those of which this Member is the
// Leader and that the plan does not have yet; in the plan's order, up to maxPublishedBytes. Each has been checked and pinned.
func publishGenesis(ctx context.Context, channels []*channelStep) {
	room := maxPublishedBytes
	for _, c := range channels {
		packed := c.status.Genesis
		c.status.Genesis = nil
		if !c.shouldPublish() || room <= 0 {
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
