package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/statement"
)

// channelStep takes a Member into one channel.
type channelStep struct {
	session ledger.Session
	in      Input
	channel v1alpha1.PlanChannel
	// pin is what this Member keeps of the channel's first block; zero as long as it has none.
	pin    Pin
	status v1alpha1.PlanChannelStatus
	// nodes at which the Member does each step, by the step's name, and holders those that are to hold the channel's ledger.
	nodes   map[string][]string
	holders []string
	// checked is set once the plan's members and rules have been compared with the pinned block.
	checked bool
	problem error
}

func newChannelStep(session ledger.Session, in Input, pin Pin, channel v1alpha1.PlanChannel) *channelStep {
	c := &channelStep{session: session, in: in, channel: channel, pin: pin, nodes: map[string][]string{}}
	for _, step := range in.Description.Steps {
		c.nodes[step.Name] = in.Description.Nodes(in.Plan, channel, step)
		if role, _ := in.Description.Role(step.Role); role.Holds {
			c.holders = append(c.holders, c.nodes[step.Name]...)
		}
	}
	before := previousStatus(in.Previous, channel.Name)
	before.DeepCopyInto(&c.status)
	c.status.Name, c.status.GenesisHash = channel.Name, pin.Hash
	return c
}

func (c *channelStep) member() string { return c.in.Plan.Spec.Member }

func (c *channelStep) hasMember() bool {
	return slices.Contains(c.channel.Members, c.member())
}

func (c *channelStep) first() ledger.FirstBlock {
	return ledger.FirstBlock{Hash: c.pin.Hash, Block: func(ctx context.Context) ([]byte, error) {
		packed, err := c.in.Pins.Block(ctx, c.channel.Name)
		if err != nil {
			return nil, err
		}
		return statement.Decompress(packed)
	}}
}

// advance continues after an error where the next step does not depend on the failed one.
func (c *channelStep) advance(ctx context.Context) {
	if c.problem = c.genesis(ctx); c.problem != nil {
		return
	}
	if _, c.problem = withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.CheckChannel(ctx, c.channel, c.first())
	}); c.problem != nil {
		return
	}
	c.checked = true
	disagreement := c.agree(ctx)
	if disagreement != nil && !c.pin.Agreed {
		c.problem = disagreement
		return
	}
	// Once all have agreed, a later disagreement is reported and blocks nothing.
	c.problem = errors.Join(disagreement, c.steps(ctx), c.readHeight(ctx))
}

// genesis finds the first block, checks it and pins it: no other one is accepted afterwards, and the pinned one is not
// checked against the records again, because these change.
func (c *channelStep) genesis(ctx context.Context) error {
	if c.pin.Hash == "" {
		if err := c.pinGenesis(ctx); err != nil {
			return err
		}
	}
	if named := c.channel.GenesisHash; named != "" && named != c.pin.Hash {
		return fmt.Errorf("%w: the plan names another one (%.12s…) than the pinned one (%.12s…, %s): find out who changed it",
			ledger.ErrGenesisRefused, named, c.pin.Hash, c.in.Pins.Where(c.channel.Name))
	}
	return nil
}

// pinGenesis checks a first block and pins it.
func (c *channelStep) pinGenesis(ctx context.Context) error {
	block, from, err := c.firstBlock(ctx)
	if err != nil {
		return err
	}
	hash, err := c.session.CheckGenesis(c.channel, block)
	if from != "" && errors.Is(err, ledger.ErrGenesisRefused) {
		// Its cause is not wrapped: the block is not one of another member.
		return fmt.Errorf("%w: %s", ledger.LedgerDiffers(from, c.channel.Name), err.Error())
	}
	if err != nil {
		return err
	}
	if named := c.channel.GenesisHash; named != "" && named != hash {
		return fmt.Errorf("%w: the plan names %.12s…, and its block is %.12s…: find out who changed it", ledger.ErrGenesisRefused, named, hash)
	}
	packed, err := statement.Compress(block)
	if err != nil {
		return err
	}
	if err := c.in.Pins.Keep(ctx, c.channel.Name, hash, packed); err != nil {
		return fmt.Errorf("pin the first block of channel %s: %w", c.channel.Name, err)
	}
	c.pin = Pin{Hash: hash}
	c.status.GenesisHash = hash
	return nil
}

// firstBlock is the block in a statement: the one that the plan refers to, or the Leader's. The Leader makes it, unless one of
// its nodes, from, has it already: host and agent may both have lost it.
func (c *channelStep) firstBlock(ctx context.Context) (block []byte, from string, err error) {
	leader, signer := ledger.LeaderOf(c.in.Plan, c.channel), ""
	if ref := c.channel.Genesis; ref != nil {
		signer = ref.Member
	} else if leader != c.member() {
		signer = leader
	}
	if signer != "" {
		block, err = c.in.Blocks.Find(ctx, c.channel, leader)
		if err == nil && block == nil {
			err = ledger.WaitingFor("the channel's first block from", signer)
		}
		return block, "", err
	}
	if len(c.holders) > 0 {
		_, err = withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) {
			from, block, err = c.session.Recover(ctx, c.channel)
			return struct{}{}, err
		})
		if err != nil || block != nil {
			return block, from, err
		}
	}
	if c.channel.GenesisHash != "" {
		return nil, "", ledger.WaitingFor("the channel's first block, which exists already and which this member has lost, to be handed over by another one")
	}
	block, err = c.session.Genesis(c.channel)
	return block, "", err
}

// agree compares the pinned block with the signed records of all members concerned.
func (c *channelStep) agree(ctx context.Context) error {
	concerned := slices.Concat(c.channel.Members, c.in.Description.OrderingMembers(c.in.Plan, c.channel))
	slices.Sort(concerned)
	var missing, differing []string
	for _, member := range slices.Compact(concerned) {
		if member == c.member() {
			continue
		}
		switch hash := recordedHash(c.in.Records[member], c.channel.Name); hash {
		case "":
			missing = append(missing, member)
		case c.pin.Hash:
		default:
			differing = append(differing, fmt.Sprintf("%s holds %.12s…", member, hash))
		}
	}
	switch {
	case len(differing) > 0:
		return fmt.Errorf("%w: %s holds %.12s…, %s. Ask the members directly, not by the host, which one is right and who distributed the other; whoever holds the wrong one deletes it (%s)",
			ledger.ErrGenesisDiffers, c.member(), c.pin.Hash, strings.Join(differing, ", "), c.in.Pins.Where(c.channel.Name))
	case c.pin.Agreed:
		return nil
	case len(missing) > 0:
		return ledger.WaitingFor("the signed record with the first block's hash of", missing...)
	}
	if err := c.in.Pins.Agree(ctx, c.channel.Name); err != nil {
		return fmt.Errorf("store that all members hold the first block of channel %s: %w", c.channel.Name, err)
	}
	c.pin.Agreed = true
	return nil
}

// recordedHash is the hash of a channel's first block in a record; empty if it has none.
func recordedHash(record v1alpha1.Record, channel string) string {
	for _, c := range record.Channels {
		if c.Name == channel {
			return c.GenesisHash
		}
	}
	return ""
}
