package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// channelStep takes a Member into one channel.
type channelStep struct {
	session Session
	in      Input
	channel v1alpha1.PlanChannel
	// pin is what this Member keeps of the channel's first block; zero as long as it has none.
	pin    Pin
	status v1alpha1.PlanChannelStatus
	// orderers and peers are the Member's nodes that are to join.
	orderers, peers []string
	// sound is set once the plan's members and rules have been found to be those of the pinned block.
	sound   bool
	problem error
}

func newChannelStep(session Session, in Input, pin Pin, channel v1alpha1.PlanChannel) *channelStep {
	c := &channelStep{
		session: session, in: in, channel: channel, pin: pin,
		orderers: ownNodes(in.Plan, channel, v1alpha1.RoleOrderer),
		peers:    ownNodes(in.Plan, channel, v1alpha1.RolePeer),
	}
	before := known(in.Previous, channel.Name)
	before.DeepCopyInto(&c.status)
	c.status.Name, c.status.GenesisHash = channel.Name, pin.Hash
	return c
}

func (c *channelStep) member() string { return c.in.Plan.Spec.Member }

func (c *channelStep) hasMember() bool {
	return slices.Contains(c.channel.Members, c.member())
}

func (c *channelStep) first() FirstBlock {
	return FirstBlock{Hash: c.pin.Hash, Block: func(ctx context.Context) ([]byte, error) {
		packed, err := c.in.Pins.Block(ctx, c.channel.Name)
		if err != nil {
			return nil, err
		}
		return unpack(packed)
	}}
}

// advance goes on after a problem wherever the next step does not need the last one.
func (c *channelStep) advance(ctx context.Context) {
	if c.problem = c.genesis(ctx); c.problem != nil {
		return
	}
	if _, c.problem = step(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.CheckChannel(ctx, c.channel, c.first())
	}); c.problem != nil {
		return
	}
	c.sound = true
	disagreement := c.agree(ctx)
	if disagreement != nil && !c.pin.Agreed {
		c.problem = disagreement
		return
	}
	// Once all had agreed, what a single member shows later is told and stops nothing.
	c.problem = errors.Join(disagreement, c.join(ctx), c.meet(ctx))
}

// genesis finds the first block, checks it and pins it: no other one is accepted ever after, and the pinned one without
// another check against the records, for these change in time.
func (c *channelStep) genesis(ctx context.Context) error {
	if c.pin.Hash == "" {
		if err := c.take(ctx); err != nil {
			return err
		}
	}
	if named := c.channel.GenesisHash; named != "" && named != c.pin.Hash {
		return fmt.Errorf("%w: the plan names another one (%.12s…) than the one that was checked before and is kept (%.12s…, %s): find out who changed it",
			ErrGenesisRefused, named, c.pin.Hash, c.in.Pins.Where(c.channel.Name))
	}
	return nil
}

// take checks a first block and pins it.
func (c *channelStep) take(ctx context.Context) error {
	block, from, err := c.firstBlock(ctx)
	if err != nil {
		return err
	}
	hash, err := c.session.CheckGenesis(c.channel, block)
	if from != "" && errors.Is(err, ErrGenesisRefused) {
		// Its cause is not among the errors: nobody else has done anything wrong.
		return fmt.Errorf("%w: %s", LedgerDiffers(from, c.channel.Name), err.Error())
	}
	if err != nil {
		return err
	}
	if named := c.channel.GenesisHash; named != "" && named != hash {
		return fmt.Errorf("%w: the plan names %.12s…, and the block at hand is %.12s…: find out who changed it", ErrGenesisRefused, named, hash)
	}
	packed, err := pack(block)
	if err != nil {
		return err
	}
	if err := c.in.Pins.Keep(ctx, c.channel.Name, hash, packed); err != nil {
		return fmt.Errorf("keep the first block of channel %s: %w", c.channel.Name, err)
	}
	c.pin = Pin{Hash: hash}
	c.status.GenesisHash = hash
	return nil
}

// firstBlock is the block in the plan. The Leader makes it, unless one of its peers has it already, which is then in from:
// host and agent may both have lost it.
func (c *channelStep) firstBlock(ctx context.Context) (block []byte, from string, err error) {
	if len(c.channel.Genesis) > 0 {
		block, err = unpack(c.channel.Genesis)
		return block, "", err
	}
	leader := LeaderOf(c.in.Plan, c.channel)
	if leader != c.member() {
		return nil, "", WaitingFor("the channel's first block from", leader)
	}
	if len(c.peers) > 0 {
		_, err = step(ctx, func(ctx context.Context) (struct{}, error) {
			from, block, err = c.session.Recover(ctx, c.channel)
			return struct{}{}, err
		})
		if err != nil || block != nil {
			return block, from, err
		}
	}
	if c.channel.GenesisHash != "" {
		return nil, "", WaitingFor("the channel's first block, which exists already and which this member has lost, to be handed over by the host")
	}
	block, err = c.session.Genesis(c.channel)
	return block, "", err
}

// agree holds the pinned block against what the signed records of everybody concerned show.
func (c *channelStep) agree(ctx context.Context) error {
	concerned := slices.Concat(c.channel.Members, OrderingMembers(c.in.Plan, c.channel))
	slices.Sort(concerned)
	var missing, others []string
	for _, member := range slices.Compact(concerned) {
		if member == c.member() {
			continue
		}
		switch hash := shown(c.in.Records[member], c.channel.Name); hash {
		case "":
			missing = append(missing, member)
		case c.pin.Hash:
		default:
			others = append(others, fmt.Sprintf("%s holds %.12s…", member, hash))
		}
	}
	switch {
	case len(others) > 0:
		return fmt.Errorf("%w: %s holds %.12s…, %s. Find out by telephone which one is right and who handed out the other; whoever holds the wrong one deletes it (%s)",
			ErrGenesisDiffers, c.member(), c.pin.Hash, strings.Join(others, ", "), c.in.Pins.Where(c.channel.Name))
	case c.pin.Agreed:
		return nil
	case len(missing) > 0:
		return WaitingFor("the signed record with the first block's hash of", missing...)
	}
	if err := c.in.Pins.Agree(ctx, c.channel.Name); err != nil {
		return fmt.Errorf("keep that all members hold the first block of channel %s: %w", c.channel.Name, err)
	}
	c.pin.Agreed = true
	return nil
}

// shown is the hash of a channel's first block in a record; empty if it has none.
func shown(record v1alpha1.Record, channel string) string {
	for _, c := range record.Channels {
		if c.Name == channel {
			return c.GenesisHash
		}
	}
	return ""
}

func (c *channelStep) join(ctx context.Context) error {
	var mu sync.Mutex
	var differ []string
	each := func(nodes []string, join func(context.Context, string, v1alpha1.PlanChannel, FirstBlock) error) ([]string, error) {
		return atEach(ctx, nodes, func(ctx context.Context, node string) error {
			err := join(ctx, node, c.channel, c.first())
			if errors.Is(err, ErrLedgerDiffers) {
				mu.Lock()
				defer mu.Unlock()
				differ = append(differ, node)
			}
			return err
		})
	}
	orderers, ordererErr := each(c.orderers, c.session.JoinOrderer)
	peers, peerErr := each(c.peers, c.session.JoinPeer)
	c.status.Orderers = reached(c.orderers, c.status.Orderers, orderers, differ)
	c.status.Peers = reached(c.peers, c.status.Peers, peers, differ)
	return errors.Join(ordererErr, peerErr)
}

// reached are those of the nodes that have joined now or had joined before, but for those that turned out to hold
// something else.
func reached(nodes, before, now, differ []string) []string {
	var all []string
	for _, node := range nodes {
		if (slices.Contains(before, node) || slices.Contains(now, node)) && !slices.Contains(differ, node) {
			all = append(all, node)
		}
	}
	return all
}

// meet makes the Member's peers known to the others, once one of them is there to tell what is known.
func (c *channelStep) meet(ctx context.Context) error {
	if len(c.status.Peers) == 0 {
		return nil
	}
	height, heightErr := step(ctx, func(ctx context.Context) (int64, error) { return c.session.Height(ctx, c.channel) })
	c.status.Height = max(c.status.Height, height)
	_, err := step(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.SetAnchors(ctx, c.channel)
	})
	c.status.AnchorsSet = c.status.AnchorsSet || err == nil
	return errors.Join(err, heightErr)
}
