package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

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
	// orderers and peers are the Member's nodes that are to join.
	orderers, peers []string
	// checked is set once the plan's members and rules have been compared with the pinned block.
	checked bool
	problem error
}

func newChannelStep(session ledger.Session, in Input, pin Pin, channel v1alpha1.PlanChannel) *channelStep {
	c := &channelStep{
		session: session, in: in, channel: channel, pin: pin,
		orderers: ownNodes(in.Plan, channel, v1alpha1.RoleOrderer),
		peers:    ownNodes(in.Plan, channel, v1alpha1.RolePeer),
	}
	before := previousStatus(in.Previous, channel.Name)
	before.DeepCopyInto(&c.status)
	c.status.Name, c.status.GenesisHash = channel.Name, pin.Hash
	return c
}

// ownNodes lists the plan's nodes of one role that a channel concerns.
func ownNodes(plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel, role v1alpha1.NodeRole) []string {
	concerned := channel.Members
	if role == v1alpha1.RoleOrderer {
		concerned = ledger.OrderingMembers(plan, channel)
	}
	if !slices.Contains(concerned, plan.Spec.Member) {
		return nil
	}
	var names []string
	for _, node := range plan.Spec.Nodes {
		if node.Role == role {
			names = append(names, node.Name)
		}
	}
	slices.Sort(names)
	return names
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
	c.problem = errors.Join(disagreement, c.join(ctx), c.setAnchors(ctx))
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
// its peers, from, has it already: host and agent may both have lost it.
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
	if len(c.peers) > 0 {
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
	concerned := slices.Concat(c.channel.Members, ledger.OrderingMembers(c.in.Plan, c.channel))
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

func (c *channelStep) join(ctx context.Context) error {
	var mu sync.Mutex
	var differ []string
	each := func(nodes []string, join func(context.Context, string, v1alpha1.PlanChannel, ledger.FirstBlock) error) ([]string, error) {
		return forEachNode(ctx, nodes, func(ctx context.Context, node string) error {
			err := join(ctx, node, c.channel, c.first())
			if errors.Is(err, ledger.ErrLedgerDiffers) {
				mu.Lock()
				defer mu.Unlock()
				differ = append(differ, node)
			}
			return err
		})
	}
	orderers, ordererErr := each(c.orderers, c.session.JoinOrderer)
	peers, peerErr := each(c.peers, c.session.JoinPeer)
	c.status.Orderers = merge(c.orderers, c.status.Orderers, orderers, differ)
	c.status.Peers = merge(c.peers, c.status.Peers, peers, differ)
	return errors.Join(ordererErr, peerErr)
}

// merge are those of the nodes that have joined, now or before, without those that hold another ledger.
func merge(nodes, before, now, differ []string) []string {
	var all []string
	for _, node := range nodes {
		if (slices.Contains(before, node) || slices.Contains(now, node)) && !slices.Contains(differ, node) {
			all = append(all, node)
		}
	}
	return all
}

// setAnchors sets the Member's anchor peers, once one of its peers has joined, and reads the channel's height.
func (c *channelStep) setAnchors(ctx context.Context) error {
	if len(c.status.Peers) == 0 {
		return nil
	}
	height, heightErr := withStepTimeout(ctx, func(ctx context.Context) (int64, error) { return c.session.Height(ctx, c.channel) })
	c.status.Height = max(c.status.Height, height)
	_, err := withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.SetAnchors(ctx, c.channel)
	})
	c.status.AnchorsSet = c.status.AnchorsSet || err == nil
	return errors.Join(err, heightErr)
}
