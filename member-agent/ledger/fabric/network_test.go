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
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric"
	"github.com/hanse-io/hanse/member-agent/ledger/fabric/fabrictest"
)

// TestRealNetwork takes three organizations, with real peers, orderers and a real contract, from nothing to a
// transaction that two of them endorsed and the third can read.
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

	sessions := open(t, ctx, network)
	joinEverything(t, ctx, members, sessions)
	watch("channel joined by 3 orderers and 3 peers")
	for i, member := range members {
		eventually(t, ctx, "anchors", func() error { return sessions[i].SetAnchors(ctx, member.Plan.Spec.Channels[0]) })
	}
	watch("anchors set by 3 organizations")
	deployContract(t, ctx, members, sessions)
	watch("contract installed, approved by 3, committed")

	digest := sha256.Sum256([]byte("a bill of lading"))
	id, hash := "bill-1", hex.EncodeToString(digest[:])
	eventually(t, ctx, "org1 submits", func() error { return submit(ctx, network, members[0], id, hash) })
	watch("first transaction, endorsed by a majority, committed")
	must(t, submit(ctx, network, members[0], "bill-2", hash))
	watch("second transaction")
	eventually(t, ctx, "org3 reads", func() error {
		answer, err := call(ctx, network, members[2], false, "Get", id)
		if err == nil && !strings.Contains(answer, hash) {
			err = fmt.Errorf("org3 reads %s", answer)
		}
		return err
	})
	watch("read at the third organization")

	// A second pass over everything changes nothing and fails nowhere.
	joinEverything(t, ctx, members, sessions)
	before, err := sessions[0].Height(ctx, members[0].Plan.Spec.Channels[0])
	must(t, err)
	for i, member := range members {
		must(t, sessions[i].SetAnchors(ctx, member.Plan.Spec.Channels[0]))
	}
	deployContract(t, ctx, members, sessions)
	after, err := sessions[0].Height(ctx, members[0].Plan.Spec.Channels[0])
	must(t, err)
	if before != after {
		t.Fatalf("doing everything again made %d blocks", after-before)
	}
	watch("everything done again, without a block")
	upgrade(t, ctx, network, members, sessions)
	watch("contract upgraded")
}

// upgrade declares another version and policy, with a gap in the plan's sequence.
func upgrade(t *testing.T, ctx context.Context, network *fabrictest.Network, members []*fabrictest.Member, sessions []ledger.Session) {
	t.Helper()
	for _, member := range members {
		contract := &member.Plan.Spec.Contracts[0]
		contract.Version, contract.Sequence = "1.1", 4
		contract.Endorsement = v1alpha1.EndorsementPolicy{Rule: v1alpha1.EndorseAll}
	}
	committed, err := sessions[1].Committed(ctx, members[1].Plan.Spec.Contracts[0])
	must(t, err)
	if committed != 1 {
		t.Fatalf("before the upgrade, committed is %d, not 1", committed)
	}
	deployContract(t, ctx, members, sessions)
	digest := sha256.Sum256([]byte("another bill"))
	eventually(t, ctx, "org2 submits", func() error {
		return submit(ctx, network, members[1], "bill-3", hex.EncodeToString(digest[:]))
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

func open(t *testing.T, ctx context.Context, network *fabrictest.Network) []ledger.Session {
	t.Helper()
	var sessions []ledger.Session
	for _, member := range network.Members {
		session, err := network.Engine().Open(ctx, member.Plan, fabrictest.Records(network.Members), member.Keys)
		must(t, err)
		t.Cleanup(func() { must(t, session.Close()) })
		sessions = append(sessions, session)
	}
	return sessions
}

func joinEverything(t *testing.T, ctx context.Context, members []*fabrictest.Member, sessions []ledger.Session) {
	t.Helper()
	genesis := members[0].Plan.Spec.Channels[0].Genesis
	if genesis == nil {
		var err error
		genesis, err = sessions[0].Genesis(members[0].Plan.Spec.Channels[0])
		must(t, err)
	}
	for i, member := range members {
		channel := &member.Plan.Spec.Channels[0]
		channel.Genesis = genesis
		hash, err := sessions[i].CheckGenesis(*channel)
		must(t, err)
		t.Logf("%s accepts %s", member.Plan.Spec.Member, hash[:12])
		eventually(t, ctx, "orderer joins", func() error {
			return sessions[i].JoinOrderer(ctx, "orderer0-"+member.Plan.Spec.Member, *channel)
		})
		eventually(t, ctx, "peer joins", func() error {
			return sessions[i].JoinPeer(ctx, "peer0-"+member.Plan.Spec.Member, *channel)
		})
	}
}

func deployContract(t *testing.T, ctx context.Context, members []*fabrictest.Member, sessions []ledger.Session) {
	t.Helper()
	for i, member := range members {
		contract := member.Plan.Spec.Contracts[0]
		_, err := sessions[i].Install(ctx, "peer0-"+member.Plan.Spec.Member, contract)
		must(t, err)
		sequence, err := sessions[i].Approve(ctx, contract)
		must(t, err)
		if sequence != contract.Sequence {
			t.Fatalf("%s approved %d", member.Plan.Spec.Member, sequence)
		}
	}
	contract := members[0].Plan.Spec.Contracts[0]
	eventually(t, ctx, "the leader commits", func() error { return sessions[0].Commit(ctx, contract) })
	for i := range members {
		eventually(t, ctx, "everybody sees it", func() error {
			committed, err := sessions[i].Committed(ctx, contract)
			if err == nil && committed != contract.Sequence {
				err = fmt.Errorf("committed is %d", committed)
			}
			return err
		})
	}
}

func submit(ctx context.Context, network *fabrictest.Network, member *fabrictest.Member, id, digest string) error {
	_, err := call(ctx, network, member, true, "Put", id, digest, "sha256", "")
	return err
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
