package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger/fabric/planner"
)

// TestJoinWaitsForAgreement goes through what the others' signed records can show.
func TestJoinWaitsForAgreement(t *testing.T) {
	for _, row := range []struct {
		why    string
		set    func(m *member)
		reason string
		says   string
		joins  bool
	}{
		{"nobody has shown anything", func(*member) {}, v1alpha1.ReasonWaiting, "waiting for the signed record with the first block's hash of org1, org3", false},
		{"one has not", func(m *member) { m.shows("g1", "org1") }, v1alpha1.ReasonWaiting, "first block's hash of org3", false},
		{"all have shown the same", func(m *member) { m.shows("g1", "org1", "org3") }, v1alpha1.ReasonReady, "", true},
		{"one holds another one", func(m *member) { m.shows("g1", "org1"); m.shows("g2", "org3") }, v1alpha1.ReasonGenesisDiffers, "org2 holds hash of g1…, org3 holds hash of g2…", false},
		{"one holds another one and one has shown nothing", func(m *member) { m.shows("g2", "org1") }, v1alpha1.ReasonGenesisDiffers, "org1 holds hash of g2…", false},
		{"who only orders has to show it too", func(m *member) {
			// org2 and org3 run peers only here, and everybody's orderers order.
			for i := range m.plan.Spec.Members[1:] {
				m.plan.Spec.Members[i+1].Nodes = m.plan.Spec.Members[i+1].Nodes[1:]
			}
			m.plan.Spec.Nodes = m.plan.Spec.Nodes[1:]
			m.plan.Spec.Channels[0].Members, m.plan.Spec.Channels[0].Leader = []string{"org2", "org3"}, "org3"
			m.shows("g1", "org3")
		}, v1alpha1.ReasonWaiting, "first block's hash of org1", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			m := &member{plan: planOf("org2"), world: newFakeLedger()}
			m.given(t, "g1")
			row.set(m)
			m.advance()
			if got := m.last.ChannelsReady; got.Reason != row.reason || !strings.Contains(got.Message, row.says) {
				t.Errorf("says %+v", got)
			}
			if joins := len(m.world.joined) > 0; joins != row.joins {
				t.Errorf("joined: %v", m.world.joined)
			}
			if m.status.Channels[0].GenesisHash != hashOf("g1") {
				t.Error("the hash is not reported, so that the others cannot go on")
			}
		})
	}
}

// TestDifferentFirstBlocks has a host that tells two agents of different leaders: each pins another block, and nobody joins.
func TestDifferentFirstBlocks(t *testing.T) {
	members := []*member{
		{plan: planOf("org1"), world: newFakeLedger()}, {plan: planOf("org2"), world: newFakeLedger()}, {plan: planOf("org3"), world: newFakeLedger()},
	}
	members[0].given(t, "g1")
	members[1].given(t, "g2")
	members[2].given(t, "g2")
	for range 3 {
		for _, m := range members {
			m.advance()
			gossip(members)
		}
	}
	for _, m := range members {
		if m.last.ChannelsReady.Reason != v1alpha1.ReasonGenesisDiffers || len(m.world.joined) > 0 || m.status.Channels[0].Reason != v1alpha1.ReasonGenesisDiffers {
			t.Errorf("%s: %+v, joined %v", m.plan.Spec.Member, m.last.ChannelsReady, m.world.joined)
		}
	}
	// The channel leaves the plan and comes back with the other block: the pin is still there.
	channel := members[0].plan.Spec.Channels[0]
	members[0].plan.Spec.Channels = nil
	members[0].advance()
	members[0].plan.Spec.Channels = []v1alpha1.PlanChannel{channel}
	members[0].given(t, "g2")
	members[0].advance()
	if got := members[0].status.Channels[0]; got.GenesisHash != hashOf("g1") || len(members[0].world.joined) > 0 {
		t.Errorf("the pin went with the channel: %+v", got)
	}
}

func TestAgreementIsKept(t *testing.T) {
	m := &member{plan: planOf("org2"), world: newFakeLedger()}
	m.given(t, "g1")
	m.shows("g1", "org1", "org3")
	m.advance()
	// The host and all records are gone, and so is the block in the plan; a node is added.
	m.records, m.status = nil, v1alpha1.MemberPlanStatus{}
	m.given(t, "")
	m.plan.Spec.Nodes = append(m.plan.Spec.Nodes, v1alpha1.PlanNode{Name: "peer1-org2", Role: v1alpha1.RolePeer})
	m.advance()
	if !m.last.ChannelsReady.Ready || !m.world.joined["peer1-org2"] {
		t.Errorf("a node that was added later waits: %+v", m.last.ChannelsReady)
	}
	// A single member that shows another one later is told of, and stops nothing.
	m.shows("g9", "org3")
	m.plan.Spec.Nodes = append(m.plan.Spec.Nodes, v1alpha1.PlanNode{Name: "peer2-org2", Role: v1alpha1.RolePeer})
	m.advance()
	if m.last.ChannelsReady.Reason != v1alpha1.ReasonGenesisDiffers || !m.world.joined["peer2-org2"] {
		t.Errorf("%+v, joined %v", m.last.ChannelsReady, m.world.joined)
	}
	if m.status.Contracts[0].Approved != 1 {
		t.Errorf("the contract stands still: %+v", m.status.Contracts[0])
	}
}

// TestOldLedger has a node whose volume is of an earlier consortium of the same name.
func TestOldLedger(t *testing.T) {
	m := &member{plan: planOf("org2"), world: newFakeLedger()}
	m.given(t, "g1")
	m.shows("g1", "org1", "org3")
	m.world.old = []string{"peer0-org2"}
	m.status.Channels = []v1alpha1.PlanChannelStatus{{Name: "goods", Steps: []v1alpha1.PlanStep{{Name: planner.StepJoinPeers, Nodes: []string{"peer0-org2"}}}}}
	m.advance()
	got := m.status.Channels[0]
	if m.last.ChannelsReady.Reason != v1alpha1.ReasonLedgerDiffers || !strings.Contains(got.Message, "peer0-org2") || !strings.Contains(got.Message, "PersistentVolumeClaim") {
		t.Errorf("%+v", m.last.ChannelsReady)
	}
	if len(at(got, planner.StepJoinPeers)) > 0 || !slices.Equal(at(got, planner.StepJoinOrderers), []string{"orderer0-org2"}) {
		t.Errorf("reported as joined: %v, %v", at(got, planner.StepJoinPeers), at(got, planner.StepJoinOrderers))
	}
	if m.status.Contracts[0].Approved != 0 {
		t.Error("a contract was approved on another ledger")
	}
}

// TestLeaderOfAnOldLedger has the leader's own peer hold a ledger that is not what the plan and the records say.
func TestLeaderOfAnOldLedger(t *testing.T) {
	m := &member{plan: planOf("org1"), world: newFakeLedger()}
	m.world.running = []byte("old")
	m.advance()
	if got := m.last.ChannelsReady; got.Reason != v1alpha1.ReasonLedgerDiffers || !strings.Contains(got.Message, "peer0-org1") {
		t.Errorf("%+v", got)
	}
	if m.status.Channels[0].Genesis != "" || m.status.Channels[0].GenesisHash != "" {
		t.Error("a block was published that had not passed the check")
	}
}

// TestInvalidChannelDoesNotBlockOthers has a channel whose plan differs from its first block: the others, and their contracts, go on.
func TestInvalidChannelDoesNotBlockOthers(t *testing.T) {
	m := &member{plan: planOf("org2"), world: newFakeLedger()}
	m.shows("g1", "org1", "org3")
	for _, name := range []string{"org1", "org3"} {
		record := m.records[name]
		record.Channels = append(record.Channels, v1alpha1.RecordChannel{Name: "bad", GenesisHash: hashOf("g1")})
		m.records[name] = record
	}
	m.given(t, "g1")
	bad := m.plan.Spec.Channels[0]
	bad.Name, bad.Leader = "bad", "org9"
	m.plan.Spec.Channels = append(m.plan.Spec.Channels, bad)
	m.plan.Spec.Contracts = append(m.plan.Spec.Contracts, v1alpha1.PlanContract{Name: "evil", Channel: "bad", Sequence: 1})
	m.status.Channels = []v1alpha1.PlanChannelStatus{{Name: "bad", Steps: []v1alpha1.PlanStep{{Name: planner.StepJoinPeers, Nodes: []string{"peer0-org2"}}}}}
	m.advance()
	good, other := m.status.Channels[0], m.status.Channels[1]
	if good.Reason != "" || len(at(good, planner.StepJoinPeers)) != 1 || other.Reason != v1alpha1.ReasonChannelDiffers {
		t.Errorf("%+v\n%+v", good, other)
	}
	if m.status.Contracts[0].Approved != 1 || m.status.Contracts[1].Approved != 0 {
		t.Errorf("%+v", m.status.Contracts)
	}
}

// TestPublishing goes through who publishes a first block, and when it stops.
func TestPublishing(t *testing.T) {
	for _, row := range []struct {
		why, member string
		set         func(c *v1alpha1.PlanChannel)
		publishes   bool
	}{
		{"the leader, until the plan names the block", "org1", func(*v1alpha1.PlanChannel) {}, true},
		{"the leader, while somebody needs it", "org1", func(c *v1alpha1.PlanChannel) { c.GenesisHash, c.GenesisRequested = hashOf("g1"), true }, true},
		{"not once all have it", "org1", func(c *v1alpha1.PlanChannel) { c.GenesisHash = hashOf("g1") }, false},
		{"nobody else", "org2", func(*v1alpha1.PlanChannel) {}, false},
		{"unless it is asked to: the leader may have lost it", "org2", func(c *v1alpha1.PlanChannel) { c.GenesisHash, c.GenesisRequested = hashOf("g1"), true }, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			m := &member{plan: planOf(row.member), world: newFakeLedger()}
			m.given(t, "g1")
			m.advance()
			row.set(&m.plan.Spec.Channels[0])
			m.advance()
			if got := m.status.Channels[0].Genesis != ""; got != row.publishes {
				t.Errorf("publishes: %v", got)
			}
		})
	}
}
