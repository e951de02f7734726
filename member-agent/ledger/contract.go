package ledger

import (
	"context"
	"errors"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// contractStep takes a Member through the life cycle of one contract.
type contractStep struct {
	session  Session
	plan     *v1alpha1.MemberPlan
	channel  *channelStep
	contract v1alpha1.PlanContract
	status   v1alpha1.PlanContractStatus
	problem  error
}

func newContractStep(session Session, plan *v1alpha1.MemberPlan, channel *channelStep, contract v1alpha1.PlanContract, previous v1alpha1.MemberPlanStatus) *contractStep {
	c := &contractStep{
		session: session, plan: plan, channel: channel, contract: contract,
		status: v1alpha1.PlanContractStatus{Name: contract.Name, Channel: contract.Channel},
	}
	for _, known := range previous.Contracts {
		if known.Name == contract.Name && known.Channel == contract.Channel {
			c.status = known
		}
	}
	// Whether it runs is not for the ledger to say.
	c.status.Running = false
	return c
}

func (c *contractStep) advance(ctx context.Context) {
	defer func() { c.status.Message = message(c.problem) }()
	if len(c.channel.peers) == 0 {
		c.problem = WaitingFor("a peer of", c.plan.Spec.Member)
		return
	}
	if len(c.channel.status.Peers) == 0 || !c.channel.sound {
		c.problem = WaitingFor("channel " + c.contract.Channel) // Which says itself what it waits for.
		return
	}
	installErr := c.install(ctx)
	if c.status.PackageID == "" {
		c.problem = installErr
		return
	}
	if err := c.approve(ctx); err != nil {
		c.problem = errors.Join(installErr, err)
		return
	}
	c.problem = errors.Join(installErr, c.commit(ctx))
}

// install puts the package on every peer that has joined the channel.
func (c *contractStep) install(ctx context.Context) error {
	ids := make(chan string, len(c.channel.status.Peers))
	_, err := atEach(ctx, c.channel.status.Peers, func(ctx context.Context, node string) error {
		id, err := c.session.Install(ctx, node, c.contract)
		if err == nil {
			ids <- id
		}
		return err
	})
	select {
	case c.status.PackageID = <-ids:
	default:
	}
	return err
}

func (c *contractStep) approve(ctx context.Context) error {
	sequence, err := step(ctx, func(ctx context.Context) (int64, error) { return c.session.Approve(ctx, c.contract) })
	if err == nil {
		c.status.Approved = sequence
	}
	return err
}

// commit has the Leader commit what has not been committed; the others wait for it.
func (c *contractStep) commit(ctx context.Context) error {
	if done, err := c.committed(ctx); err != nil || done {
		return err
	}
	if leader := LeaderOf(c.plan, c.channel.channel); leader != c.plan.Spec.Member {
		return WaitingFor("the contract to be committed by", leader)
	}
	_, err := step(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.Commit(ctx, c.contract)
	})
	if err != nil {
		return err
	}
	if done, err := c.committed(ctx); err != nil || done {
		return err
	}
	return WaitingFor("the committed contract to come from the orderers")
}

func (c *contractStep) committed(ctx context.Context) (bool, error) {
	sequence, err := step(ctx, func(ctx context.Context) (int64, error) { return c.session.Committed(ctx, c.contract) })
	if err != nil {
		return false, err
	}
	c.status.Committed = sequence
	return sequence == c.contract.Sequence, nil
}
