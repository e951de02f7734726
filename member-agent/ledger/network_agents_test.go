//go:build fabric

package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/ledgertest"
)

// agents advance their organizations as member agents do, each for itself, with nobody but a host between them that
// hands on the leader's block and everybody's record.
type agents struct {
	ledgertest.Agents
	logged map[string]string
}

func agentsOf(network *fabrictest.Network) agents {
	all, statements := agents{logged: map[string]string{}}, &ledgertest.Exchange{}
	for _, member := range network.Members {
		all.Agents = append(all.Agents, &ledgertest.Agent{
			Driver: network.Driver(), Description: planner.Planner{}.Description(), Statements: statements,
			Plan: member.Plan, Record: &member.Record, Keys: member.Keys,
		})
	}
	return all
}

// without are all agents but the last n.
func (a agents) without(n int) agents { return agents{a.Agents[:len(a.Agents)-n], a.logged} }

func (a agents) forget(t *testing.T) {
	t.Helper()
	for _, agent := range a.Agents {
		must(t, agent.Forget(t.Context()))
	}
}

// waitForReady has every agent advance until all channels and contracts are ready.
func (a agents) waitForReady(t *testing.T, ctx context.Context) {
	t.Helper()
	for ready := false; !ready; {
		must(t, ctx.Err())
		results, err := a.Advance(ctx)
		must(t, err)
		ready = true
		for i, progress := range results {
			a.log(t, a.Agents[i], progress)
			ready = ready && progress.ChannelsReady.Ready && progress.ContractsReady.Ready
		}
	}
}

// advance runs one agent's phases once, and hands nothing on.
func (a agents) advance(t *testing.T, ctx context.Context, agent *ledgertest.Agent) agentledger.Progress {
	t.Helper()
	progress, err := agent.Advance(ctx, a.Records())
	must(t, err)
	a.log(t, agent, progress)
	return progress
}

func (a agents) log(t *testing.T, agent *ledgertest.Agent, progress agentledger.Progress) {
	logged := progress.ChannelsReady.Message + " | " + progress.ContractsReady.Message
	if name := agent.Plan.Spec.Member; logged != a.logged[name] {
		t.Logf("%s: %s", name, logged)
		a.logged[name] = logged
	}
}

func height(t *testing.T, ctx context.Context, a agents) int64 {
	t.Helper()
	a.waitForReady(t, ctx)
	return a.Agents[0].Plan.Status.Channels[0].Height
}

// transact has one organization put something on the ledger that another one then reads.
func transact(t *testing.T, ctx context.Context, network *fabrictest.Network, channel string, writer, reader *fabrictest.Member, id string) {
	t.Helper()
	digest := sha256.Sum256([]byte(id))
	hash := hex.EncodeToString(digest[:])
	eventually(t, ctx, "submit", func() error {
		_, err := call(ctx, network, channel, writer, true, "Put", id, hash, "sha256", "")
		return err
	})
	eventually(t, ctx, "read", func() error {
		answer, err := call(ctx, network, channel, reader, false, "Get", id)
		if err == nil && !strings.Contains(answer, hash) {
			err = fmt.Errorf("read %s", answer)
		}
		return err
	})
}

// declare puts a channel with a notary into the plans of everybody that it concerns.
func declare(all []*fabrictest.Member, channel string, members ...string) {
	majority := v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
	// What the host fills in.
	batch := v1alpha1.Batch{MaxMessages: 500, Timeout: &metav1.Duration{Duration: 500 * time.Millisecond}}
	planned := v1alpha1.PlanChannel{Name: channel, Members: members, Leader: members[0], Endorsement: majority, Batch: batch}
	for _, member := range all {
		plan := member.Plan
		if !slices.Contains(slices.Concat(members, planner.Planner{}.Description().OrderingMembers(plan, planned)), plan.Spec.Member) {
			continue
		}
		plan.Spec.Channels = append(plan.Spec.Channels, planned)
		plan.Spec.Contracts = append(plan.Spec.Contracts, v1alpha1.PlanContract{
			TLS:  true,
			Name: "notary", Channel: channel, Image: "notary", Version: "1.0", Sequence: 1, Endorsement: majority,
		})
	}
}

// declareWithoutContract is for tests that need the channel only.
func declareWithoutContract(all []*fabrictest.Member, channel string, members ...string) {
	declare(all, channel, members...)
	for _, member := range all {
		member.Plan.Spec.Contracts = nil
	}
}

func call(ctx context.Context, network *fabrictest.Network, channel string, member *fabrictest.Member, write bool, function string, arguments ...string) (string, error) {
	client, err := network.Client(ctx, member)
	if err != nil {
		return "", err
	}
	defer client.Close()
	call := ledger.Call{Channel: channel, Contract: "notary", Function: function, Arguments: arguments}
	if write {
		result, err := client.Submit(ctx, call)
		return string(result.Answer), err
	}
	answer, err := client.Evaluate(ctx, call)
	return string(answer), err
}

func restart(t *testing.T, ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, workload string) {
	t.Helper()
	must(t, network.Stop(member, workload))
	must(t, network.Start(ctx))
}
