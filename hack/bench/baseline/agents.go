package baseline

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	"github.com/hanse-io/hanse/member-agent/ledger/ledgertest"
)

const (
	consortium = "baseline"
	channel    = "goods"
	notary     = "notary"
)

// organizations of the network.
var organizations = []string{"org1", "org2", "org3"}

// batchTimeout is how long an orderer waits for a block to fill: by default as long as a plan says.
func (o Order) batchTimeout() time.Duration {
	if o.Cuts > 0 {
		return failoverBatch
	}
	return 500 * time.Millisecond
}

// members are three organizations with a channel and a contract, with the settings that a plan has by default.
func members(batchTimeout time.Duration) ([]*fabrictest.Member, error) {
	var shapes []fabrictest.Shape
	for _, name := range organizations {
		shapes = append(shapes, fabrictest.Shape{Name: name, Peers: 1, Orderers: 1})
	}
	all, err := fabrictest.NewMembers(consortium, shapes...)
	if err != nil {
		return nil, err
	}
	absolute, preferred := resource.MustParse("10Mi"), resource.MustParse("2Mi")
	majority := v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
	for _, member := range all {
		member.Plan.Spec.Channels = []v1alpha1.PlanChannel{{
			Name: channel, Members: organizations, Leader: organizations[0], Endorsement: majority,
			Batch: v1alpha1.Batch{
				// Under load blocks are cut by count: with a large one every client would wait for the timeout, and what is
				// measured would be the number of clients divided by it, however fast or slow the nodes are.
				MaxMessages: 20, AbsoluteMaxBytes: &absolute, PreferredMaxBytes: &preferred,
				Timeout: &metav1.Duration{Duration: batchTimeout},
			},
		}}
		member.Plan.Spec.Contracts = []v1alpha1.PlanContract{{
			Name: notary, Channel: channel, Image: notary, Version: "1.0", Sequence: 1, Endorsement: majority,
		}}
	}
	return all, nil
}

// agentsOf are the agents of a network, with nobody but a host between them.
func agentsOf(network *fabrictest.Network) ledgertest.Agents {
	var all ledgertest.Agents
	statements := &ledgertest.Exchange{}
	for _, member := range network.Members {
		all = append(all, &ledgertest.Agent{
			Driver: network.Driver(), Description: planner.Planner{}.Description(), Statements: statements,
			Plan: member.Plan, Record: &member.Record, Keys: member.Keys,
		})
	}
	return all
}

// untilReady has every organization's driver do its part, each for itself, until the contract can be called.
func untilReady(ctx context.Context, network *fabrictest.Network) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	agents := agentsOf(network)
	for {
		results, err := agents.Advance(ctx)
		if err != nil {
			return err
		}
		waiting := ""
		for i, r := range results {
			if !r.ChannelsReady.Ready || !r.ContractsReady.Ready {
				waiting = fmt.Sprintf("%s: %s, %s", organizations[i], r.ChannelsReady.Message, r.ContractsReady.Message)
			}
		}
		if waiting == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the network is not ready: %w: %s", ctx.Err(), waiting)
		case <-tick.C:
		}
	}
}
