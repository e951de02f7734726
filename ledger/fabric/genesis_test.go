package fabric_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
	"github.com/hanse-io/hanse/ledger/fabric/fabrictest"
)

var goods = v1alpha1.PlanChannel{Name: "goods", Members: []string{"org1", "org2", "org3"}}

// sessionOf opens a session that reaches nobody.
func sessionOf(t testing.TB, member *fabrictest.Member, records map[string]v1alpha1.Record) ledger.Session {
	t.Helper()
	session, err := fabric.New(fabric.Options{}).Open(context.Background(), member.Plan, records, member.Keys)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func threeMembers(t testing.TB) []*fabrictest.Member {
	t.Helper()
	members, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	if err != nil {
		t.Fatal(err)
	}
	return members
}

func TestGenesisIsReproducible(t *testing.T) {
	members := threeMembers(t)
	block, err := sessionOf(t, members[0], fabrictest.Records(members)).Genesis(goods)
	if err != nil {
		t.Fatal(err)
	}
	var hashes []string
	for _, member := range members {
		hash, err := sessionOf(t, member, fabrictest.Records(members)).CheckGenesis(goods, block)
		if err != nil {
			t.Fatalf("%s: %v", member.Plan.Spec.Member, err)
		}
		hashes = append(hashes, hash)
	}
	if len(slices.Compact(hashes)) != 1 {
		t.Errorf("the members know it by different hashes: %v", hashes)
	}
}

func TestGenesisWaitsForRecords(t *testing.T) {
	members := threeMembers(t)
	for _, test := range []struct {
		name   string
		change func(records map[string]v1alpha1.Record)
		want   string
	}{
		{"no record of a member", func(r map[string]v1alpha1.Record) { delete(r, "org3") }, "waiting for the record of org3"},
		{
			"a record from before the orderer's certificate was issued", func(r map[string]v1alpha1.Record) {
				record := r["org2"]
				record.Nodes = nil
				r["org2"] = record
			}, "waiting for the TLS certificate of orderer orderer0-org2 in the record of org2",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			records := fabrictest.Records(members)
			test.change(records)
			_, err := sessionOf(t, members[0], records).Genesis(goods)
			var waiting *ledger.Waiting
			if !errors.As(err, &waiting) || err.Error() != test.want {
				t.Errorf("got %v, not %q", err, test.want)
			}
		})
	}
}

// TestGenesisRefused has a leader that favours itself in every way that a plan and records can express.
func TestGenesisRefused(t *testing.T) {
	members := threeMembers(t)
	outsiders, err := fabrictest.NewMembers("trade", fabrictest.Even(1, 1, "org1", "org2", "org3")...)
	if err != nil {
		t.Fatal(err)
	}
	other, err := members[1].Keys(context.Background(), "peer0-org2-tls")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		forge func(plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record, channel *v1alpha1.PlanChannel)
		want  string
	}{
		{
			"another channel", func(_ *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, c *v1alpha1.PlanChannel) { c.Name = "bads" },
			`channel "bads", not "goods"`,
		},
		{
			"a member left out", func(_ *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, c *v1alpha1.PlanChannel) {
				c.Members = []string{"org1", "org2"}
			}, "Channel.Application.org3MSP",
		},
		{
			"an endorsement policy that one member can meet", func(_ *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, c *v1alpha1.PlanChannel) {
				c.Endorsement.Rule = v1alpha1.EndorseAny
			}, "Channel.Application.policies.Endorsement",
		},
		{
			"roots that are not the member's", func(_ *v1alpha1.MemberPlan, r map[string]v1alpha1.Record, _ *v1alpha1.PlanChannel) {
				r["org2"] = outsiders[1].Record
			}, "Channel.Application.org2MSP.MSP",
		},
		{
			"a consenter with another key of the same organization", func(_ *v1alpha1.MemberPlan, r map[string]v1alpha1.Record, _ *v1alpha1.PlanChannel) {
				record := r["org2"]
				record.Nodes = slices.Clone(record.Nodes)
				record.Nodes[0].TLSCertificate = string(other.Certificate)
				r["org2"] = record
			}, "Channel.Orderer.ConsensusType",
		},
		{
			"an orderer more for the leader", func(p *v1alpha1.MemberPlan, r map[string]v1alpha1.Record, _ *v1alpha1.PlanChannel) {
				node := p.Spec.Members[0].Nodes[0]
				node.Name = "orderer1-org1"
				p.Spec.Members[0].Nodes = append(slices.Clone(p.Spec.Members[0].Nodes), node)
				record := r["org1"]
				published := record.Nodes[0]
				published.Name = "orderer1-org1"
				record.Nodes = append(slices.Clone(record.Nodes), published)
				r["org1"] = record
			}, "Channel.Orderer.ConsensusType",
		},
		{
			"a larger batch", func(_ *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, c *v1alpha1.PlanChannel) {
				c.Batch.MaxMessages = 7
			}, "Channel.Orderer.BatchSize",
		},
		{
			"another member's peer as an anchor", func(p *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, _ *v1alpha1.PlanChannel) {
				p.Spec.Members[1].Nodes = []v1alpha1.PlanMemberNode{p.Spec.Members[1].Nodes[0], p.Spec.Members[0].Nodes[1]}
			}, "Channel.Application.org2MSP.AnchorPeers",
		},
		{
			"an anchor that is a peer of no number that peers have", func(p *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, _ *v1alpha1.PlanChannel) {
				node := p.Spec.Members[1].Nodes[1]
				node.Name = "peer7-org2"
				p.Spec.Members[1].Nodes = []v1alpha1.PlanMemberNode{p.Spec.Members[1].Nodes[0], node}
			}, "Channel.Application.org2MSP.AnchorPeers",
		},
		{
			"more anchors than a member can have peers", func(p *v1alpha1.MemberPlan, _ map[string]v1alpha1.Record, _ *v1alpha1.PlanChannel) {
				withPeers(p, 1, 33)
			}, "Channel.Application.org2MSP.AnchorPeers",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			leader := *members[0]
			leader.Plan = members[0].Plan.DeepCopy()
			records, forged := fabrictest.Records(members), goods
			test.forge(leader.Plan, records, &forged)
			block, err := sessionOf(t, &leader, records).Genesis(forged)
			if err != nil {
				t.Fatal(err)
			}
			checkRejected(t, sessionOf(t, members[2], fabrictest.Records(members)), block, test.want)
		})
	}
}

// withPeers gives a member so many peers in a plan.
func withPeers(plan *v1alpha1.MemberPlan, at, count int) {
	member := &plan.Spec.Members[at]
	member.Nodes = slices.DeleteFunc(slices.Clone(member.Nodes), func(n v1alpha1.PlanMemberNode) bool { return n.Role == v1alpha1.RolePeer })
	for i := range count {
		member.Nodes = append(member.Nodes, v1alpha1.PlanMemberNode{
			Name: v1alpha1.NodeName(v1alpha1.RolePeer, int32(i), member.Name), Role: v1alpha1.RolePeer, Port: v1alpha1.PortPeer,
		})
	}
}

// TestGenesisAfterPeersWereAdded has leader and member go by plans with another number of a member's peers: one of them may not
// have the newest plan yet, and who lost what it had pinned checks the block much later.
func TestGenesisAfterPeersWereAdded(t *testing.T) {
	members := threeMembers(t)
	for _, row := range []struct {
		why           string
		leader, later int
	}{
		{"the same", 1, 1},
		{"a peer was added since", 1, 2},
		{"the leader has the newer plan", 3, 1},
		{"the first peer was added since", 0, 1},
		{"as many as there can be, whose names do not sort by number", 32, 12},
		{"no peer left in an older plan", 2, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			leader, member := *members[0], *members[2]
			leader.Plan, member.Plan = members[0].Plan.DeepCopy(), members[2].Plan.DeepCopy()
			withPeers(leader.Plan, 1, row.leader)
			withPeers(member.Plan, 1, row.later)
			block, err := sessionOf(t, &leader, fabrictest.Records(members)).Genesis(goods)
			if err != nil {
				t.Fatal(err)
			}
			if named := bytes.Count(block, []byte("-org2.hanse-trade")) - bytes.Count(block, []byte("orderer0-org2.hanse-trade")); named != row.leader {
				t.Errorf("%d peers of org2 are named, not %d", named, row.leader)
			}
			if _, err := sessionOf(t, &member, fabrictest.Records(members)).CheckGenesis(goods, block); err != nil {
				t.Error(err)
			}
		})
	}
}

func checkRejected(t *testing.T, session ledger.Session, block []byte, want string) {
	t.Helper()
	_, err := session.CheckGenesis(goods, block)
	if !errors.Is(err, ledger.ErrGenesisRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v; want a refusal that names %q", err, want)
	}
}

// TestMangledGenesis changes a sound block in places that a header's hash does or does not cover.
func TestMangledGenesis(t *testing.T) {
	members := threeMembers(t)
	session := sessionOf(t, members[0], fabrictest.Records(members))
	sound, err := session.Genesis(goods)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		why    string
		mangle func(block *common.Block)
		want   string
	}{
		{"a later block", func(b *common.Block) { b.Header.Number = 4 }, "number is 4"},
		{"a block with a past", func(b *common.Block) { b.Header.PreviousHash = []byte{1} }, "previous_hash"},
		{"a header for other data", func(b *common.Block) { b.Header.DataHash = make([]byte, 32) }, "data_hash"},
		{"no header", func(b *common.Block) { b.Header = nil }, "data_hash"},
		{"no data", func(b *common.Block) { b.Data = nil }, "0 transactions"},
		{"a second transaction", func(b *common.Block) { b.Data.Data = append(b.Data.Data, b.Data.Data[0]) }, "2 transactions"},
		{"metadata of somebody's own", func(b *common.Block) { b.Metadata.Metadata[0] = []byte("x") }, "metadata"},
		{"no metadata", func(b *common.Block) { b.Metadata = nil }, "metadata"},
	} {
		t.Run(test.why, func(t *testing.T) {
			block := &common.Block{}
			if err := proto.Unmarshal(sound, block); err != nil {
				t.Fatal(err)
			}
			test.mangle(block)
			raw, err := proto.Marshal(block)
			if err != nil {
				t.Fatal(err)
			}
			checkRejected(t, session, raw, test.want)
		})
	}
	checkRejected(t, session, make([]byte, fabric.MaxGenesisBytes+1), "which is more than")
}

// TestGenesisAfterCertificateRenewal checks a block after a consenter's certificate was renewed with the same key: a member
// that comes late has only the new one in its records.
func TestGenesisAfterCertificateRenewal(t *testing.T) {
	members := threeMembers(t)
	block, err := sessionOf(t, members[0], fabrictest.Records(members)).Genesis(goods)
	if err != nil {
		t.Fatal(err)
	}
	before := members[1].Record.Nodes[0].TLSCertificate
	if err := members[1].Renew("orderer0-org2-tls"); err != nil {
		t.Fatal(err)
	}
	if members[1].Record.Nodes[0].TLSCertificate == before {
		t.Fatal("the record still has the old certificate")
	}
	if _, err := sessionOf(t, members[2], fabrictest.Records(members)).CheckGenesis(goods, block); err != nil {
		t.Error(err)
	}
}
