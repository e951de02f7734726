package ledger_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
	agentledger "github.com/hanse-io/hanse/member-agent/ledger"
	"github.com/hanse-io/hanse/member-agent/ledger/ledgertest"
	"github.com/hanse-io/hanse/statement"
)

// planOf is the plan of one of three members with a peer and an orderer each; org1 leads.
func planOf(name string) *v1alpha1.MemberPlan {
	plan := &v1alpha1.MemberPlan{}
	plan.Spec.Member, plan.Spec.Consortium = name, "trade"
	for _, member := range []string{"org1", "org2", "org3"} {
		role := v1alpha1.RoleParticipant
		if member == "org1" {
			role = v1alpha1.RoleLeader
		}
		plan.Spec.Members = append(plan.Spec.Members, v1alpha1.PlanMember{Name: member, Role: role, Nodes: []v1alpha1.PlanMemberNode{
			{Name: "orderer0-" + member, Role: v1alpha1.RoleOrderer}, {Name: "peer0-" + member, Role: v1alpha1.RolePeer},
		}})
	}
	plan.Spec.Nodes = []v1alpha1.PlanNode{
		{Name: "orderer0-" + name, Role: v1alpha1.RoleOrderer}, {Name: "peer0-" + name, Role: v1alpha1.RolePeer},
	}
	plan.Spec.Channels = []v1alpha1.PlanChannel{{Name: "goods", Members: []string{"org1", "org2", "org3"}}}
	plan.Spec.Contracts = []v1alpha1.PlanContract{{Name: "notary", Channel: "goods", Version: "1.0", Sequence: 1}}
	return plan
}

// member is an agent as far as the ledger goes: what it reported last comes back to it.
type member struct {
	plan   *v1alpha1.MemberPlan
	world  *fakeLedger
	status v1alpha1.MemberPlanStatus
	last   agentledger.Progress
	pins   ledgertest.Pins
	// statements are what has come to the member; several members may share them.
	statements *ledgertest.Exchange
	// records are what the others have signed.
	records map[string]v1alpha1.Record
	// stopped is whether the contract's workload does not run.
	stopped bool
}

// packed is a block as statements carry it.
func packed(t *testing.T, block string) []byte {
	t.Helper()
	raw, err := statement.Compress([]byte(block))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// published is the block in the member's own statement that its status refers to; empty if there is none.
func (m *member) published(t *testing.T) string {
	t.Helper()
	digest := m.status.Channels[0].Genesis
	if digest == "" {
		return ""
	}
	block, err := m.statements.Block(v1alpha1.StatementRef{Member: m.plan.Spec.Member, Digest: digest})
	if err != nil {
		t.Fatal(err)
	}
	return string(block)
}

// given has the plan of a member refer to org1's statement with a block, which has come; to none if it is empty.
func (m *member) given(t *testing.T, block string) {
	t.Helper()
	m.plan.Spec.Channels[0].Genesis = nil
	if block != "" {
		m.open()
		ref := m.statements.Put("org1", "goods", packed(t, block))
		m.plan.Spec.Channels[0].Genesis = &ref
	}
}

func (m *member) open() {
	if m.statements == nil {
		m.statements = &ledgertest.Exchange{}
	}
}

// shows has some members' records show a block.
func (m *member) shows(block string, members ...string) {
	if m.records == nil {
		m.records = map[string]v1alpha1.Record{}
	}
	for _, name := range members {
		m.records[name] = v1alpha1.Record{Member: name, Channels: []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: hashOf(block)}}}
	}
}

// gossip hands everybody's record to everybody.
func gossip(members []*member) {
	for _, from := range members {
		name := from.plan.Spec.Member
		record := v1alpha1.Record{Member: name}
		for _, channel := range from.status.Channels {
			if channel.GenesisHash != "" {
				record.Channels = append(record.Channels, v1alpha1.RecordChannel{Name: channel.Name, GenesisHash: channel.GenesisHash})
			}
		}
		for _, to := range members {
			if to.records == nil {
				to.records = map[string]v1alpha1.Record{}
			}
			to.records[name] = record
		}
	}
}

func (m *member) advance() {
	m.open()
	m.last = agentledger.Advance(context.Background(), &fakeSession{fakeLedger: m.world, plan: m.plan}, agentledger.Input{
		Plan: m.plan, Description: planner.Planner{}.Description(), Previous: m.status, Records: m.records, Pins: &m.pins, Blocks: m.statements.Of(m.plan.Spec.Member),
		Running: func(v1alpha1.PlanContract) bool { return !m.stopped },
	})
	m.status.Channels, m.status.Contracts = m.last.Channels, m.last.Contracts
}

func TestThreeMembersComeToAgree(t *testing.T) {
	world := newFakeLedger()
	shared := &ledgertest.Exchange{}
	members := []*member{
		{plan: planOf("org1"), world: world, statements: shared}, {plan: planOf("org2"), world: world, statements: shared},
		{plan: planOf("org3"), world: world, statements: shared},
	}
	for range 3 {
		for _, member := range members {
			member.advance()
			// The host hands the Leader's block on.
			for _, other := range members {
				other.plan.Spec.Channels[0].Genesis = &v1alpha1.StatementRef{Member: "org1", Digest: members[0].status.Channels[0].Genesis}
			}
			gossip(members)
		}
	}
	for _, member := range members {
		name := member.plan.Spec.Member
		if !member.last.ChannelsReady.Ready || !member.last.ContractsReady.Ready {
			t.Errorf("%s is not ready: %q %q", name, member.last.ChannelsReady.Message, member.last.ContractsReady.Message)
		}
		channel := member.status.Channels[0]
		channel.Genesis = ""
		want := v1alpha1.PlanChannelStatus{
			Name: "goods", GenesisHash: "hash of g1", Height: 3,
			Steps: []v1alpha1.PlanStep{
				{Name: planner.StepJoinOrderers, Nodes: []string{"orderer0-" + name}, Done: true},
				{Name: planner.StepJoinPeers, Nodes: []string{"peer0-" + name}, Done: true}, {Name: planner.StepSetAnchors, Done: true},
			},
		}
		if diff := cmp.Diff(want, channel); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		contract := v1alpha1.PlanContractStatus{Name: "notary", Channel: "goods", PackageID: "package of notary", Approved: 1, Committed: 1, Serving: true,
			Definition: member.plan.Spec.Contracts[0].DefinitionHash()}
		if diff := cmp.Diff(contract, member.status.Contracts[0]); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	if world.blocks != 1 {
		t.Errorf("the leader made %d first blocks", world.blocks)
	}
}

func TestMessages(t *testing.T) {
	for _, test := range []struct {
		name, member string
		set          func(t *testing.T, m *member)
		channels     agentledger.Outcome
		contracts    string
	}{
		{
			name: "a participant waits for the leader's block", member: "org2",
			set:       func(*testing.T, *member) {},
			channels:  agentledger.Outcome{Reason: v1alpha1.ReasonWaiting, Message: "channel goods: waiting for the channel's first block from org1"},
			contracts: "waiting for channel goods",
		},
		{
			name: "the leader waits for a record, and says whose", member: "org1",
			set:       func(t *testing.T, m *member) { m.world.missing = []string{"org3"} },
			channels:  agentledger.Outcome{Reason: v1alpha1.ReasonWaiting, Message: "channel goods: waiting for the record of org3"},
			contracts: "waiting for channel goods",
		},
		{
			name: "the leader needs a majority's approval, and says whose is missing", member: "org1",
			set:       func(t *testing.T, m *member) { m.shows("g1", "org2", "org3") },
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "waiting for the approval of org2, org3",
		},
		{
			name: "a participant has approved and waits for the commit", member: "org2",
			set:       func(t *testing.T, m *member) { m.given(t, "g1"); m.shows("g1", "org1", "org3") },
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "waiting for the contract to be committed by org1",
		},
		{
			name: "an orderer that is down does not keep the peer and the contract back", member: "org2",
			set: func(t *testing.T, m *member) {
				m.given(t, "g1")
				m.shows("g1", "org1", "org3")
				m.world.down = []string{"orderer0-org2"}
			},
			channels:  agentledger.Outcome{Reason: v1alpha1.ReasonFailed, Message: "channel goods: connection refused"},
			contracts: "waiting for the contract to be committed by org1",
		},
		{
			name: "nothing is approved that does not run", member: "org2",
			set:       func(t *testing.T, m *member) { m.given(t, "g1"); m.shows("g1", "org1", "org3"); m.stopped = true },
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "waiting for the contract's own workload to run: only what runs is approved",
		},
		{
			name: "somebody has committed something else under the plan's sequence", member: "org2",
			set: func(t *testing.T, m *member) {
				m.given(t, "g1")
				m.shows("g1", "org1", "org3")
				m.world.committed, m.world.differs = 1, "version 9 on the ledger, 1.0 declared"
			},
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "the ledger holds another definition, sequence 1, than the plan, 1: version 9 on the ledger",
		},
		{
			name: "a change that the ledger lets nobody make is said before it is tried", member: "org2",
			set: func(t *testing.T, m *member) {
				m.given(t, "g1")
				m.shows("g1", "org1", "org3")
				m.plan.Spec.Contracts[0].Sequence = 2
				m.world.committed, m.world.differs, m.world.forbidden = 1, "collection a", "collection a is on the ledger, which lets nobody remove it"
			},
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "the ledger holds another definition: collection a is on the ledger",
		},
		{
			name: "the host's count is ahead of the ledger", member: "org2",
			set: func(t *testing.T, m *member) {
				m.given(t, "g1")
				m.shows("g1", "org1", "org3")
				m.plan.Spec.Contracts[0].Sequence = 3
			},
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "waiting for the ledger or the host to catch up: the plan has sequence 3, and the next one here is 1",
		},
		{
			name: "committed, and nobody answers yet", member: "org2",
			set: func(t *testing.T, m *member) {
				m.given(t, "g1")
				m.shows("g1", "org1", "org3")
				m.world.committed, m.world.silent = 1, true
			},
			channels:  agentledger.Outcome{Ready: true, Reason: v1alpha1.ReasonReady},
			contracts: "waiting for this member's peers to see enough",
		},
		{
			name: "a block that is not what the plan says is never joined", member: "org2",
			set:       func(t *testing.T, m *member) { m.given(t, "evil") },
			channels:  agentledger.Outcome{Reason: v1alpha1.ReasonGenesisRefused, Message: "channel goods: the channel's first block is invalid"},
			contracts: "waiting for channel goods",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &member{plan: planOf(test.member), world: newFakeLedger()}
			test.set(t, m)
			m.advance()
			if diff := cmp.Diff(test.channels, m.last.ChannelsReady); diff != "" {
				t.Errorf("channels: (-want +got)\n%s", diff)
			}
			if got := m.status.Contracts[0].Message; !strings.HasPrefix(got, test.contracts) {
				t.Errorf("contract's message is %q, not %q", got, test.contracts)
			}
		})
	}
}

func TestPinnedGenesis(t *testing.T) {
	m := &member{plan: planOf("org2"), world: newFakeLedger()}
	m.given(t, "g1")
	m.shows("g1", "org1", "org3")
	m.advance()
	joined := len(m.world.joined)
	m.given(t, "g2")
	m.plan.Spec.Channels[0].GenesisHash = hashOf("g2")
	m.plan.Spec.Nodes = append(m.plan.Spec.Nodes, v1alpha1.PlanNode{Name: "peer1-org2", Role: v1alpha1.RolePeer})
	m.status = v1alpha1.MemberPlanStatus{}
	m.advance()
	if m.last.ChannelsReady.Reason != v1alpha1.ReasonGenesisRefused {
		t.Errorf("another sound block was not refused: %+v", m.last.ChannelsReady)
	}
	if len(m.world.joined) != joined {
		t.Error("a node joined by the other block")
	}
	if m.status.Channels[0].GenesisHash != hashOf("g1") {
		t.Errorf("the pin moved to %s", m.status.Channels[0].GenesisHash)
	}
}

func TestLeaderKeepsItsBlock(t *testing.T) {
	m := &member{plan: planOf("org1"), world: newFakeLedger()}
	m.advance()
	m.advance()
	if m.world.blocks != 1 {
		t.Errorf("made %d blocks before the host sent the first one back", m.world.blocks)
	}
	// The agent lost its status, and the host its plans: what is pinned is published again.
	m.status = v1alpha1.MemberPlanStatus{}
	m.advance()
	if m.world.blocks != 1 || m.published(t) != "g1" {
		t.Errorf("made %d blocks, publishes %q", m.world.blocks, m.status.Channels[0].Genesis)
	}
	// The agent lost its pins too; the plan still refers to the statement.
	m.plan.Spec.Channels[0].Genesis = &v1alpha1.StatementRef{Member: "org1", Digest: m.status.Channels[0].Genesis}
	_ = m.pins.Forget(context.Background())
	m.advance()
	if m.world.blocks != 1 || m.status.Channels[0].GenesisHash != hashOf("g1") {
		t.Errorf("made %d blocks, pins %q", m.world.blocks, m.status.Channels[0].GenesisHash)
	}
}

func TestLeaderMakesNoSecondBlock(t *testing.T) {
	m := &member{plan: planOf("org1"), world: newFakeLedger()}
	m.world.running = []byte("g7")
	m.world.down = []string{"peer0-org1"}
	m.advance()
	if got := m.last.ChannelsReady; got.Reason != v1alpha1.ReasonWaiting || m.world.blocks != 0 {
		t.Errorf("did not wait to hear whether there is a channel already: %+v", got)
	}
	m.world.down = nil
	m.advance()
	if m.published(t) != "g7" || m.world.blocks != 0 {
		t.Errorf("publishes %q", m.status.Channels[0].Genesis)
	}
}

func TestProgressIsKept(t *testing.T) {
	m := &member{plan: planOf("org2"), world: newFakeLedger()}
	m.given(t, "g1")
	m.shows("g1", "org1", "org3")
	m.advance()
	m.world.down = []string{"peer0-org2", "orderer0-org2"}
	m.advance()
	channel := m.status.Channels[0]
	if len(at(channel, planner.StepJoinPeers)) != 1 || len(at(channel, planner.StepJoinOrderers)) != 1 || channel.Message == "" {
		t.Errorf("a node that does not answer has not left the channel: %+v", channel)
	}
}

// at are the nodes that have done a step.
func at(channel v1alpha1.PlanChannelStatus, step string) []string {
	return ledger.StepOf(channel, step).Nodes
}
