// Package ledger takes one Member through its part in the channels and contracts of a plan, by way of a ledger.Session.
// It must know nothing of any one ledger technology, of the host, nor of how nodes are deployed.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

const (
	// stepTimeout is the time limit of one step at one node, so that a node that does not answer blocks nothing else.
	stepTimeout = 30 * time.Second
	// maxConcurrent is the number of concurrent channels, and then contracts.
	maxConcurrent = 8
)

// Progress is how far a Member has come with its channels and contracts.
type Progress struct {
	Channels  []v1alpha1.PlanChannelStatus
	Contracts []v1alpha1.PlanContractStatus
	// ChannelsReady and ContractsReady summarize them; whether the contracts run is not included.
	ChannelsReady, ContractsReady Outcome
}

// Input is what Advance works on.
type Input struct {
	Plan *v1alpha1.MemberPlan
	// Description of the plan's ledger.
	Description ledger.Description
	// Previous is what the last Advance reported; its progress is kept, since nothing is ever undone.
	Previous v1alpha1.MemberPlanStatus
	// Records of every Member that is known, checked.
	Records map[string]v1alpha1.Record
	Pins    Pins
	Blocks  Blocks
	// Keys are the Member's own identities, for whoever opens the session.
	Keys ledger.Keys
	// Running is whether a contract's own workload is ready here: only what runs is approved.
	Running func(v1alpha1.PlanContract) bool
}

// Advance does everything that can be done now for the plan's channels and contracts: what fails or waits for others
// blocks only what depends on it, and is in the messages.
func Advance(ctx context.Context, session ledger.Session, in Input) Progress {
	plan, previous := in.Plan, in.Previous
	pins, err := in.Pins.All(ctx)
	channels := forAll(plan.Spec.Channels, func(channel v1alpha1.PlanChannel) *channelStep {
		step := newChannelStep(session, in, pins[channel.Name], channel)
		if err != nil {
			// What is pinned is unknown: keep the reported hash.
			step.problem = fmt.Errorf("read the pinned first blocks: %w", err)
			step.status.GenesisHash = previousStatus(previous, channel.Name).GenesisHash
			return step
		}
		step.advance(ctx)
		return step
	})
	if err == nil {
		publishGenesis(ctx, channels)
	}
	var own []v1alpha1.PlanContract
	for _, contract := range plan.Spec.Contracts {
		if slices.ContainsFunc(channels, func(step *channelStep) bool { return step.hasMember() && step.channel.Name == contract.Channel }) {
			own = append(own, contract)
		}
	}
	contracts := forAll(own, func(contract v1alpha1.PlanContract) *contractStep {
		at := slices.IndexFunc(channels, func(step *channelStep) bool { return step.channel.Name == contract.Channel })
		step := newContractStep(session, plan, channels[at], contract, previous)
		step.running = in.Running(contract)
		step.advance(ctx)
		return step
	})
	return report(channels, contracts)
}

func previousStatus(previous v1alpha1.MemberPlanStatus, channel string) v1alpha1.PlanChannelStatus {
	for _, status := range previous.Channels {
		if status.Name == channel {
			return status
		}
	}
	return v1alpha1.PlanChannelStatus{}
}

// forAll works on several things concurrently and keeps their order.
func forAll[T, R any](things []T, work func(T) R) []R {
	results := make([]R, len(things))
	var group errgroup.Group
	group.SetLimit(maxConcurrent)
	for i, thing := range things {
		group.Go(func() error {
			results[i] = work(thing)
			return nil
		})
	}
	_ = group.Wait() // What went wrong is in the results.
	return results
}

// withStepTimeout calls one step with its own time limit.
func withStepTimeout[R any](ctx context.Context, do func(ctx context.Context) (R, error)) (R, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return do(ctx)
}

// forEachNode runs a step at several nodes concurrently. It returns those where it succeeded, in the order given, and the
// errors of the others.
func forEachNode(ctx context.Context, nodes []string, do func(ctx context.Context, node string) error) (done []string, err error) {
	failures := forAll(nodes, func(node string) error {
		_, err := withStepTimeout(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx, node) })
		return err
	})
	for i, failure := range failures {
		if failure == nil {
			done = append(done, nodes[i])
		}
	}
	return done, errors.Join(failures...)
}

func report(channels []*channelStep, contracts []*contractStep) Progress {
	var progress Progress
	var channelParts, contractParts []problem
	for _, channel := range channels {
		channel.status.Reason, channel.status.Message = "", message(channel.problem)
		if channel.problem != nil {
			channel.status.Reason = worstReason(channel.problem)
		}
		progress.Channels = append(progress.Channels, channel.status)
		channelParts = append(channelParts, problem{"channel " + channel.channel.Name, channel.problem})
	}
	for _, contract := range contracts {
		contract.status.Reason = ""
		if contract.problem != nil {
			contract.status.Reason = worstReason(contract.problem)
		}
		progress.Contracts = append(progress.Contracts, contract.status)
		contractParts = append(contractParts, problem{"contract " + contract.contract.Name + " on " + contract.contract.Channel, contract.problem})
	}
	progress.ChannelsReady, progress.ContractsReady = summarize(channelParts), summarize(contractParts)
	return progress
}
