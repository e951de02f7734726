package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// contractStep takes a Member through the lifecycle of one contract.
type contractStep struct {
	session  ledger.Session
	plan     *v1alpha1.MemberPlan
	channel  *channelStep
	contract v1alpha1.PlanContract
	status   v1alpha1.PlanContractStatus
	// running is whether the contract's own workload is ready here.
	running bool
	problem error
}

func newContractStep(session ledger.Session, plan *v1alpha1.MemberPlan, channel *channelStep, contract v1alpha1.PlanContract, previous v1alpha1.MemberPlanStatus) *contractStep {
	c := &contractStep{
		session: session, plan: plan, channel: channel, contract: contract,
		status: v1alpha1.PlanContractStatus{Name: contract.Name, Channel: contract.Channel},
	}
	for _, known := range previous.Contracts {
		if known.Name == contract.Name && known.Channel == contract.Channel {
			c.status = known
		}
	}
	// Running is not set by the ledger, and serving is checked again.
	c.status.Running, c.status.Serving = false, false
	return c
}

func (c *contractStep) advance(ctx context.Context) {
	defer func() { c.status.Message = message(c.problem) }()
	if len(c.channel.holders) == 0 {
		c.problem = ledger.WaitingFor("a node that holds the channel of", c.plan.Spec.Member)
		return
	}
	if len(c.channel.joined()) == 0 || !c.channel.checked {
		c.problem = ledger.WaitingFor("channel " + c.contract.Channel) // The channel's status has the cause.
		return
	}
	installErr := c.install(ctx)
	if c.status.PackageID == "" {
		c.problem = installErr
		return
	}
	c.problem = errors.Join(installErr, c.reconcileDefinition(ctx))
}

// install puts the package on every node that has joined the channel.
func (c *contractStep) install(ctx context.Context) error {
	c.status.PackageID = ""
	nodes := c.channel.joined()
	ids := make(chan string, len(nodes))
	_, err := forEachNode(ctx, nodes, func(ctx context.Context, node string) error {
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

// reconcileDefinition brings the plan's definition onto the ledger: query, approve what runs here, commit what most have
// approved, check that it is served.
func (c *contractStep) reconcileDefinition(ctx context.Context) error {
	found, err := c.read(ctx)
	if err != nil {
		return err
	}
	if err := compareSequence(c.contract.Sequence, found); err != nil {
		return err
	}
	if !found.Approved {
		if err := c.approve(ctx); err != nil {
			return err
		}
	}
	if found.Sequence < c.contract.Sequence {
		if err := c.commit(ctx); err != nil {
			return err
		}
	}
	return c.checkServing(ctx)
}

// read queries the ledger and updates the status.
func (c *contractStep) read(ctx context.Context) (ledger.Definition, error) {
	found, err := withStepTimeout(ctx, func(ctx context.Context) (ledger.Definition, error) { return c.session.Definition(ctx, c.contract) })
	if err != nil {
		return found, err
	}
	c.status.Definition = c.contract.DefinitionHash()
	c.status.Committed, c.status.Differs, c.status.Workload = found.Sequence, truncate(found.Differs), found.Workload
	if c.status.Approved = 0; found.Approved {
		c.status.Approved = c.contract.Sequence
	}
	return found, nil
}

// compareSequence says why the plan's sequence is not the ledger's or its next one. A definition that somebody else has
// committed is not replaced automatically: people decide about that.
func compareSequence(planned int64, found ledger.Definition) error {
	switch {
	case found.Differs != "" && found.Sequence >= planned:
		return fmt.Errorf("%w, sequence %d, than the plan, %d: %s; to replace it, change the Contract on the host, its version for example; to adopt it, declare the same there",
			ledger.ErrDefinitionDiffers, found.Sequence, planned, found.Differs)
	case found.Forbidden != "":
		return fmt.Errorf("%w: %s", ledger.ErrDefinitionDiffers, found.Forbidden)
	case found.Sequence > planned:
		return ledger.WaitingFor(fmt.Sprintf("the host to take over that the ledger has the definition under sequence %d", found.Sequence))
	case found.Sequence < planned-1:
		return ledger.WaitingFor(fmt.Sprintf("the ledger or the host to catch up: the plan has sequence %d, and the next one here is %d", planned, found.Sequence+1))
	}
	return nil
}

// approve approves only what runs in the own cluster, so that nothing is committed that runs nowhere.
func (c *contractStep) approve(ctx context.Context) error {
	if !c.running {
		return ledger.WaitingFor("the contract's own workload to run: only what runs is approved")
	}
	_, err := withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, c.session.Approve(ctx, c.contract) })
	if err == nil {
		c.status.Approved = c.contract.Sequence
	}
	return err
}

// commit commits the definition at the Leader; the others wait for that.
func (c *contractStep) commit(ctx context.Context) error {
	if done, err := c.committed(ctx); err != nil || done {
		return err
	}
	if leader := ledger.LeaderOf(c.plan, c.channel.channel); leader != c.plan.Spec.Member {
		return ledger.WaitingFor("the contract to be committed by", leader)
	}
	_, err := withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.session.Commit(ctx, c.contract)
	})
	if err != nil {
		return err
	}
	if done, err := c.committed(ctx); err != nil || done {
		return err
	}
	return ledger.WaitingFor("the committed contract to come in a block")
}

func (c *contractStep) committed(ctx context.Context) (bool, error) {
	found, err := c.read(ctx)
	return err == nil && found.Sequence == c.contract.Sequence && found.Differs == "", err
}

// checkServing checks that the contract answers and that its transactions can be endorsed.
func (c *contractStep) checkServing(ctx context.Context) error {
	if !c.running {
		return ledger.WaitingFor("the contract's own workload to run")
	}
	_, err := withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, c.session.Serves(ctx, c.contract) })
	c.status.Serving = err == nil
	return err
}

// truncate limits a text to the size of its status field.
func truncate(text string) string {
	const most = 1000
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
