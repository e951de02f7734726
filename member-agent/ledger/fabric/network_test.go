//go:build fabric

package fabric_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric/fabrictest"
)

// TestRealNetwork takes three organizations, with real peers, orderers and a real contract, from nothing to a
// transaction that two of them endorsed and the third can read; and on through what happens to a network in its life.
func TestRealNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	members, err := fabrictest.NewMembers("trade", 1, 1, "org1", "org2", "org3")
	must(t, err)
	declare(members)
	network, err := fabrictest.NewNetwork(options(t), members)
	must(t, err)
	watch := stopwatch(t)
	t.Cleanup(func() { must(t, network.Close()); watch("everything stopped") })
	must(t, network.Start(ctx))
	watch("6 nodes and 3 contracts healthy")
	agents := agentsOf(network)
	agents.untilReady(t, ctx)
	watch("channel joined, anchors set, contract committed, by three agents")

	transact(t, ctx, network, members[0], members[2], "bill-1")
	watch("first transaction, endorsed by a majority, read at the third organization")
	transact(t, ctx, network, members[0], members[2], "bill-2")
	watch("second transaction")
	before := height(t, ctx, agents)
	agents.untilReady(t, ctx)
	if after := height(t, ctx, agents); after != before {
		t.Fatalf("doing everything again made %d blocks", after-before)
	}
	watch("everything done again, without a block")

	for i, event := range []struct {
		what string
		do   func()
	}{
		{"upgrade to a stricter policy, with a gap in the plan's sequence", func() {
			for _, member := range members {
				contract := &member.Plan.Spec.Contracts[0]
				contract.Version, contract.Sequence = "1.1", 4
				contract.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}
			}
		}},
		{"a contract's pod replaced", func() { restart(t, ctx, network, members[1], "goods-notary") }},
		{"a peer's pod replaced", func() { restart(t, ctx, network, members[2], "peer0-org3") }},
		{"an orderer's certificate renewed with its key", func() {
			must(t, members[0].Renew("orderer0-org1-tls"))
			restart(t, ctx, network, members[0], "orderer0-org1")
		}},
		{"all agents lost what they knew", func() { agents.forget() }},
		{"back to the majority, with the third organization down", func() {
			must(t, network.Stop(members[2], "peer0-org3"))
			must(t, network.Stop(members[2], "orderer0-org3"))
			for _, member := range members {
				contract := &member.Plan.Spec.Contracts[0]
				contract.Version, contract.Sequence = "1.2", 5
				contract.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
			}
		}},
	} {
		event.do()
		up := agents
		if strings.Contains(event.what, "third organization down") {
			up = agents[:2]
		}
		up.untilReady(t, ctx)
		transact(t, ctx, network, members[0], members[1], fmt.Sprint("event-", i))
		watch(event.what)
	}
	must(t, network.Start(ctx))
	agents.untilReady(t, ctx)
	transact(t, ctx, network, members[2], members[0], "bill-last")
	watch("the third organization back, and up to date")
}

func restart(t *testing.T, ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, workload string) {
	t.Helper()
	must(t, network.Stop(member, workload))
	must(t, network.Start(ctx))
}

// agents advance their organizations as member agents do, each for itself, with nobody but a host between them that
// hands on the leader's block and everybody's record.
type agents []*agent

type agent struct {
	network *fabrictest.Network
	member  *fabrictest.Member
	said    string
}

func agentsOf(network *fabrictest.Network) agents {
	var all agents
	for _, member := range network.Members {
		all = append(all, &agent{network: network, member: member})
	}
	return all
}

func (a agents) forget() {
	for _, agent := range a {
		agent.member.Plan.Status = v1alpha1.MemberPlanStatus{}
	}
}

// untilReady has every agent advance until all channels and contracts are ready.
func (a agents) untilReady(t *testing.T, ctx context.Context) {
	t.Helper()
	for ready := false; !ready; {
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		results := make([]ledger.Progress, len(a))
		var all sync.WaitGroup
		for i, agent := range a {
			all.Go(func() { results[i] = agent.advance(t, ctx) })
		}
		all.Wait()
		ready = true
		for _, progress := range results {
			ready = ready && progress.ChannelsReady.Ready && progress.ContractsReady.Ready
		}
		for _, agent := range a {
			if block := a[0].member.Plan.Status.Channels[0].Genesis; block != nil {
				agent.member.Plan.Spec.Channels[0].Genesis = block
			}
		}
	}
}

func (a *agent) advance(t *testing.T, ctx context.Context) ledger.Progress {
	plan := a.member.Plan
	session, err := a.network.Engine().Open(ctx, plan, fabrictest.Records(a.network.Members), a.member.Keys)
	if err != nil {
		t.Error(err)
		return ledger.Progress{}
	}
	defer session.Close()
	progress := ledger.Advance(ctx, session, plan, plan.Status)
	plan.Status.Channels, plan.Status.Contracts = progress.Channels, progress.Contracts
	if said := progress.ChannelsReady.Message + " | " + progress.ContractsReady.Message; said != a.said {
		t.Logf("%s: %s", plan.Spec.Member, said)
		a.said = said
	}
	return progress
}

func height(t *testing.T, ctx context.Context, a agents) int64 {
	t.Helper()
	a.untilReady(t, ctx)
	return a[0].member.Plan.Status.Channels[0].Height
}

// transact has one organization put something on the ledger that another one then reads.
func transact(t *testing.T, ctx context.Context, network *fabrictest.Network, writer, reader *fabrictest.Member, id string) {
	t.Helper()
	digest := sha256.Sum256([]byte(id))
	hash := hex.EncodeToString(digest[:])
	eventually(t, ctx, "submit", func() error {
		_, err := call(ctx, network, writer, true, "Put", id, hash, "sha256", "")
		return err
	})
	eventually(t, ctx, "read", func() error {
		answer, err := call(ctx, network, reader, false, "Get", id)
		if err == nil && !strings.Contains(answer, hash) {
			err = fmt.Errorf("read %s", answer)
		}
		return err
	})
}

func declare(members []*fabrictest.Member) {
	var names []string
	for _, member := range members {
		names = append(names, member.Plan.Spec.Member)
	}
	majority := v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseMajority}
	for _, member := range members {
		member.Plan.Spec.Channels = []v1alpha1.PlanChannel{{Name: "goods", Members: names, Endorsement: majority}}
		member.Plan.Spec.Contracts = []v1alpha1.PlanContract{{
			Name: "notary", Channel: "goods", Image: "notary", Version: "1.0", Sequence: 1, Endorsement: majority,
		}}
	}
}

func call(ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, write bool, function string, arguments ...string) (string, error) {
	client, err := network.Engine().Client(ctx, member.Plan, member.Keys, fabric.UserIdentity(member.Plan.Spec.Member), "")
	if err != nil {
		return "", err
	}
	defer client.Close()
	do := client.Evaluate
	if write {
		do = client.Submit
	}
	answer, err := do(ctx, "goods", "notary", function, arguments...)
	return string(answer), err
}

// options finds the parts of a network, and builds the contract and the ccaas builder.
func options(t *testing.T) fabrictest.Options {
	t.Helper()
	binaries := os.Getenv("HANSE_FABRIC_BIN")
	if binaries == "" {
		binaries = os.Getenv("KUBEBUILDER_ASSETS")
	}
	if _, err := os.Stat(filepath.Join(binaries, "peer")); err != nil {
		t.Skip("set HANSE_FABRIC_BIN to a directory with Fabric's peer and orderer")
	}
	root, err := filepath.Abs("../../..")
	must(t, err)
	directory, err := os.MkdirTemp("", "hanse-fabric-")
	must(t, err)
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(directory)
		}
	})
	t.Logf("logs are in %s", directory)
	o := fabrictest.Options{
		Binaries: binaries, Directory: directory,
		Builder: filepath.Join(directory, "builder"), Contract: filepath.Join(directory, "notary"),
	}
	o.FabricModule = strings.TrimSpace(goTool(t, filepath.Join(root, "hack/parts/fabric"), "list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric"))
	goTool(t, filepath.Join(root, "contracts"), "build", "-o", o.Contract, "./cmd/notary")
	program := filepath.Join(o.Builder, "bin", "ccaas-builder")
	goTool(t, filepath.Join(root, "hack/parts/ccaasbuilder"), "build", "-o", program, ".")
	for _, name := range []string{"detect", "build", "release"} {
		must(t, os.Symlink("ccaas-builder", filepath.Join(o.Builder, "bin", name)))
	}
	return o
}

func goTool(t *testing.T, directory string, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(arguments, " "), err)
	}
	return string(output)
}

// eventually tries again until something works that waits for blocks or gossip to travel.
func eventually(t *testing.T, ctx context.Context, what string, do func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for said := ""; ; {
		err := do()
		if err == nil {
			return
		}
		if said != err.Error() {
			said = err.Error()
			t.Logf("%s: %s", what, said)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func stopwatch(t *testing.T) func(what string) {
	last := time.Now()
	return func(what string) {
		t.Logf("%6.2fs %s", time.Since(last).Seconds(), what)
		last = time.Now()
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
