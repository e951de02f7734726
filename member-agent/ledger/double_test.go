package ledger_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// fakeLedger is a ledger in memory that all members' sessions share.
type fakeLedger struct {
	mu        sync.Mutex
	blocks    int
	joined    map[string]bool
	anchors   map[string]bool
	installed map[string]bool
	approved  map[string]int64
	committed int64
	// differs and forbidden are what a session says of what is committed; silent is whether nobody answers for it.
	differs, forbidden string
	silent             bool
	// running is the block that the leader's peer runs on.
	running []byte
	// down are nodes that do not answer, missing members whose record is not known, old nodes that hold another ledger.
	down, missing, old []string
}

func newFakeLedger() *fakeLedger {
	return &fakeLedger{joined: map[string]bool{}, anchors: map[string]bool{}, installed: map[string]bool{}, approved: map[string]int64{}}
}

// fakeSession is one member's session in a world.
type fakeSession struct {
	*fakeLedger
	plan *v1alpha1.MemberPlan
}

var errDown = errors.New("connection refused")

func (d *fakeSession) Genesis(channel v1alpha1.PlanChannel) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.missing) > 0 {
		return nil, ledger.WaitingFor("the record of", d.missing...)
	}
	d.blocks++
	return []byte{'g', byte('0' + d.blocks)}, nil
}

func (d *fakeSession) Recover(context.Context, v1alpha1.PlanChannel) (string, []byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.down, "peer0-org1") {
		return "", nil, ledger.WaitingFor("peer0-org1 to answer")
	}
	return "peer0-org1", d.running, nil
}

func (d *fakeSession) CheckGenesis(_ v1alpha1.PlanChannel, block []byte) (string, error) {
	if block[0] != 'g' {
		return "", ledger.ErrGenesisRefused
	}
	return hashOf(string(block)), nil
}

func hashOf(block string) string { return "hash of " + block }

// CheckChannel takes every channel whose leader is one of its members.
func (d *fakeSession) CheckChannel(ctx context.Context, channel v1alpha1.PlanChannel, first ledger.FirstBlock) error {
	if !slices.Contains(channel.Members, ledger.LeaderOf(d.plan, channel)) {
		return ledger.ErrChannelDiffers
	}
	return nil
}

func (d *fakeSession) join(node string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.down, node) {
		return errDown
	}
	if slices.Contains(d.old, node) {
		return ledger.LedgerDiffers(node, "goods")
	}
	d.joined[node] = true
	return nil
}

func (d *fakeSession) Do(_ context.Context, _, node string, _ v1alpha1.PlanChannel, _ ledger.FirstBlock) error {
	if node != "" {
		return d.join(node)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.anchors[d.plan.Spec.Member] = true
	return nil
}

func (d *fakeSession) Height(context.Context, v1alpha1.PlanChannel) (int64, error) { return 3, nil }

func (d *fakeSession) Install(_ context.Context, node string, contract v1alpha1.PlanContract) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.down, node) {
		return "", errDown
	}
	d.installed[node] = true
	return "package of " + contract.Name, nil
}

func (d *fakeSession) Definition(_ context.Context, contract v1alpha1.PlanContract) (ledger.Definition, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := ledger.Definition{Sequence: d.committed, Forbidden: d.forbidden, Approved: d.approved[d.plan.Spec.Member] == contract.Sequence}
	if d.committed > 0 {
		found.Differs = d.differs
	}
	return found, nil
}

func (d *fakeSession) Approve(_ context.Context, contract v1alpha1.PlanContract) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.approved[d.plan.Spec.Member] = contract.Sequence
	return nil
}

func (d *fakeSession) Serves(context.Context, v1alpha1.PlanContract) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.silent {
		return ledger.WaitingFor("this member's peers to see enough of the others' with the contract")
	}
	return nil
}

func (d *fakeSession) Commit(_ context.Context, contract v1alpha1.PlanContract) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var without []string
	for _, member := range d.plan.Spec.Members {
		if d.approved[member.Name] < contract.Sequence {
			without = append(without, member.Name)
		}
	}
	if 2*len(without) >= len(d.plan.Spec.Members) {
		waiting := ledger.WaitingFor("the approval of", without...)
		waiting.Cause = ledger.ErrNotApproved
		return waiting
	}
	d.committed = contract.Sequence
	return nil
}

func (d *fakeSession) Close() error { return nil }
