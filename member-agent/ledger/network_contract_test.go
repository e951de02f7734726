//go:build fabric

package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

// vaults gives everybody's plan the contract vault on a channel, with a collection of private data of two of three.
func vaults(members []*fabrictest.Member, change func(c *v1alpha1.PlanContract)) {
	for _, member := range members {
		c := &member.Plan.Spec.Contracts[0]
		if c.Name != "vault" {
			*c = v1alpha1.PlanContract{
				Name: "vault", Channel: "goods", Image: "vault:first", Version: "1.0", Sequence: 1,
				Endorsement: v1alpha1.EndorsementPolicy{Policy: "OR('org1MSP.peer', 'org2MSP.peer')"},
				Collections: []v1alpha1.Collection{{
					Name: "offers", Members: []string{"org1", "org2"}, RequiredPeers: 1, MaxPeers: ptr.To(int32(1)),
					MemberOnlyRead: ptr.To(true), MemberOnlyWrite: ptr.To(true),
				}},
			}
		}
		change(c)
	}
}

// TestCustomContracts takes a contract with private data and a policy in Fabric's text through its life: written and
// read, upgraded to another image without a gap, overtaken by somebody who commits by hand, and replaced.
func TestCustomContracts(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	o := fabrictest.BuildFor(t, "../..")
	vault := filepath.Join(o.Directory, "vault")
	root := filepath.Join("..", "..", "contracts")
	for _, arguments := range [][]string{
		{"build", "-o", vault + "-first", "./cmd/vault"},
		{"build", "-ldflags", "-X main.edition=second", "-o", vault + "-second", "./cmd/vault"},
	} {
		_, err := fabrictest.Go(root, arguments...)
		must(t, err)
	}
	o.Program = func(image string) string { return strings.ReplaceAll(filepath.Join(o.Directory, image), ":", "-") }
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	must(t, err)
	declare(members, "goods", "org1", "org2", "org3")
	vaults(members, func(*v1alpha1.PlanContract) {})
	network, err := fabrictest.NewNetwork(o, members)
	must(t, err)
	watch := stopwatch(t)
	t.Cleanup(func() { must(t, network.Close()) })
	must(t, network.Start(ctx))
	agents := agentsOf(network)
	agents.waitForReady(t, ctx)
	watch("contract with private data ready")

	// Right after it is ready, nothing may fail.
	must(t, secret(ctx, network, members[0], "bid-1", "a hundred"))
	eventually(t, ctx, "the other member of the collection reads it", func() error {
		return expect(ctx, network, members[1], "a hundred", "Get", "offers", "bid-1")
	})
	if err := expect(ctx, network, members[2], "", "Get", "offers", "bid-1"); err == nil {
		t.Error("who is not a member of the collection reads it")
	}
	watch("private data written and read")

	vaults(members, func(c *v1alpha1.PlanContract) { c.Image, c.Sequence = "vault:second", 2 })
	must(t, network.Start(ctx))
	gap := 0
	for done := false; !done; {
		done = agents.advanceAll(t, ctx)
		if err := expect(ctx, network, members[0], "", "Edition"); err != nil {
			gap++
			t.Logf("during the upgrade: %v", err)
		}
	}
	if gap > 0 {
		t.Errorf("%d queries failed during the upgrade to another image", gap)
	}
	must(t, expect(ctx, network, members[0], "second", "Edition"))
	must(t, expect(ctx, network, members[1], "a hundred", "Get", "offers", "bid-1"))
	for _, member := range members {
		if c := member.Plan.Status.Contracts[0]; c.Committed != 2 || c.Workload != member.Plan.Spec.Contracts[0].WorkloadName() {
			t.Errorf("%s reports %+v", member.Plan.Spec.Member, c)
		}
	}
	watch("another image under the same version, approved and committed by everybody, without a gap")

	byHand(t, ctx, network, members)
	watch("somebody commits version 9 by hand")
	for _, agent := range agents.Agents {
		eventually(t, ctx, "it is told what differs", func() error {
			progress := agents.advance(t, ctx, agent)
			c := agent.Plan.Status.Contracts[0]
			if progress.ContractsReady.Reason != v1alpha1.ReasonDefinitionDiffers || c.Committed != 3 || !strings.Contains(c.Differs, "version 9 on the ledger, 1.0 declared") {
				return fmt.Errorf("%+v, %+v", progress.ContractsReady, c)
			}
			return nil
		})
	}
	vaults(members, func(c *v1alpha1.PlanContract) { c.Sequence, c.Collections = 4, nil })
	progress := agents.advance(t, ctx, agents.Agents[0])
	if !strings.Contains(progress.ContractsReady.Message, "collection offers is on the ledger, which lets nobody remove it") {
		t.Errorf("a collection is taken away: %+v", progress.ContractsReady)
	}
	vaults(members, func(c *v1alpha1.PlanContract) {
		c.Version = "2.0"
		c.Collections = []v1alpha1.Collection{{
			Name: "offers", Members: []string{"org1", "org2"}, RequiredPeers: 1, MaxPeers: ptr.To(int32(1)),
			MemberOnlyRead: ptr.To(true), MemberOnlyWrite: ptr.To(true),
		}}
	})
	agents.waitForReady(t, ctx)
	must(t, expect(ctx, network, members[1], "a hundred", "Get", "offers", "bid-1"))
	watch("replaced by what people declare, under the ledger's next sequence")

	// What exists nowhere is approved by nobody, and never committed.
	vaults(members, func(c *v1alpha1.PlanContract) { c.Image, c.Sequence = "vault:nowhere", 5 })
	for _, agent := range agents.Agents {
		agent.Stopped = true
		agents.advance(t, ctx, agent)
		if c := agent.Plan.Status.Contracts[0]; c.Approved != 0 || c.Committed != 4 || c.Workload == agent.Plan.Spec.Contracts[0].WorkloadName() {
			t.Errorf("%s reports of an image that exists nowhere %+v", agent.Plan.Spec.Member, c)
		}
	}
	must(t, expect(ctx, network, members[0], "second", "Edition"))
	watch("an image that exists nowhere is not committed")
}

func secret(ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, key, value string) error {
	client, err := network.Client(ctx, member)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Submit(ctx, ledger.Call{
		Channel: "goods", Contract: "vault", Function: "Put", Arguments: []string{"offers", key},
		Private: map[string][]byte{"value": []byte(value)}, Endorsers: []string{"org1MSP"},
	})
	return err
}

func expect(ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, want, function string, arguments ...string) error {
	client, err := network.Client(ctx, member)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Evaluate(ctx, ledger.Call{Channel: "goods", Contract: "vault", Function: function, Arguments: arguments})
	if err == nil && want != "" && string(answer) != want {
		return fmt.Errorf("%s answers %q, not %q", member.Plan.Spec.Member, answer, want)
	}
	return err
}

// byHand is what administrators do with the peer's own commands: two of three approve another version, and one commits it.
func byHand(t *testing.T, ctx context.Context, network *fabrictest.Network, members []*fabrictest.Member) {
	t.Helper()
	for i, member := range slices.Backward(members[:2]) {
		session, err := network.Driver().Open(ctx, member.Plan, fabrictest.Records(members), member.Keys)
		must(t, err)
		defer session.Close()
		contract := member.Plan.Spec.Contracts[0]
		contract.Version, contract.Sequence = "9", 3
		must(t, session.Approve(ctx, contract))
		if i == 0 {
			must(t, session.Commit(ctx, contract))
		}
	}
}

// advanceAll has every agent advance once, and says whether all is ready.
func (a agents) advanceAll(t *testing.T, ctx context.Context) bool {
	t.Helper()
	if ctx.Err() != nil {
		t.Fatal(ctx.Err())
	}
	ready := true
	for _, agent := range a.Agents {
		progress := a.advance(t, ctx, agent)
		ready = ready && progress.ChannelsReady.Ready && progress.ContractsReady.Ready
	}
	return ready
}
