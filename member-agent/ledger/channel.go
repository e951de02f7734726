package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// channelStep takes a Member into one channel.
type channelStep struct {
	session Session
	plan    *v1alpha1.MemberPlan
	channel v1alpha1.PlanChannel
	status  v1alpha1.PlanChannelStatus
	// orderers and peers are the Member's nodes that are to join.
	orderers, peers []string
	problem         error
}

func newChannelStep(session Session, plan *v1alpha1.MemberPlan, channel v1alpha1.PlanChannel, previous v1alpha1.MemberPlanStatus) *channelStep {
	c := &channelStep{
		session: session, plan: plan, channel: channel,
		status:   v1alpha1.PlanChannelStatus{Name: channel.Name},
		orderers: ownNodes(plan, channel, v1alpha1.RoleOrderer),
		peers:    ownNodes(plan, channel, v1alpha1.RolePeer),
	}
	for _, known := range previous.Channels {
		if known.Name == channel.Name {
			c.status = *known.DeepCopy()
		}
	}
	return c
}

func (c *channelStep) hasMember() bool {
	return slices.Contains(c.channel.Members, c.plan.Spec.Member)
}

// advance goes on after a problem wherever the next step does not need the last one.
func (c *channelStep) advance(ctx context.Context) {
	defer func() { c.status.Message = message(c.problem) }()
	if c.problem = c.genesis(ctx); c.problem != nil {
		return
	}
	c.problem = errors.Join(c.join(ctx), c.meet(ctx))
}

// genesis finds the first block and checks it. The first one that passes is pinned: no other one is accepted ever after,
// and the pinned one without another check, for the records that it was made from change in time.
func (c *channelStep) genesis(ctx context.Context) error {
	if err := c.firstBlock(ctx); err != nil {
		return err
	}
	hash, err := c.session.GenesisHash(c.channel)
	if err != nil {
		return err
	}
	if c.status.GenesisHash != "" {
		if hash != c.status.GenesisHash {
			return fmt.Errorf("%w: it is another one (%.12s…) than the one that was checked before (%.12s…): find out who changed it",
				ErrGenesisRefused, hash, c.status.GenesisHash)
		}
		return nil
	}
	if hash, err = c.session.CheckGenesis(c.channel); err != nil {
		return err
	}
	c.status.GenesisHash = hash
	return nil
}

// firstBlock takes the block from the plan. The Leader makes it, once, and need not wait for its return.
func (c *channelStep) firstBlock(ctx context.Context) error {
	leader := LeaderOf(c.plan, c.channel)
	if leader == c.plan.Spec.Member && len(c.status.Genesis) == 0 {
		block, err := c.lead(ctx)
		if err != nil {
			return err
		}
		c.status.Genesis = block
	}
	if len(c.channel.Genesis) == 0 {
		c.channel.Genesis = c.status.Genesis
	}
	if len(c.channel.Genesis) == 0 {
		return WaitingFor("the channel's first block from", leader)
	}
	return nil
}

// lead is the block for the Leader to publish: the one in the plan, or the one that its peers run on if host and agent
// have both lost it, or a new one.
func (c *channelStep) lead(ctx context.Context) ([]byte, error) {
	if len(c.channel.Genesis) > 0 {
		return c.channel.Genesis, nil
	}
	if len(c.peers) > 0 {
		block, err := step(ctx, func(ctx context.Context) ([]byte, error) { return c.session.Recover(ctx, c.channel) })
		if err != nil || block != nil {
			return block, err
		}
	}
	return c.session.Genesis(c.channel)
}

func (c *channelStep) join(ctx context.Context) error {
	orderers, ordererErr := atEach(ctx, c.orderers, func(ctx context.Context, node string) error {
		return c.session.JoinOrderer(ctx, node, c.channel)
	})
	peers, peerErr := atEach(ctx, c.peers, func(ctx context.Context, node string) error {
		return c.session.JoinPeer(ctx, node, c.channel)
	})
	c.status.Orderers = reached(c.orderers, c.status.Orderers, orderers)
	c.status.Peers = reached(c.peers, c.status.Peers, peers)
	return errors.Join(ordererErr, peerErr)
}

// reached are those of the nodes that have joined now or had joined before.
func reached(nodes, before, now []string) []string {
	var all []string
	for _, node := range nodes {
		if slices.Contains(before, node) || slices.Contains(now, node) {
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
