package discovery

import (
	"runtime"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// sendFalseMessage has an agent tell another one, in memberlist's words, what is not true.
func (f *testbed) sendFalseMessage(sender, to string, kind byte, message map[string]any) {
	f.t.Helper()
	packet := append([]byte{kind}, pack(f.t, message)...)
	if _, err := f.agents[sender].group(trade).gossip.transport.WriteToAddress(packet, memberlist.Address{Name: to}); err != nil {
		f.t.Fatal(err)
	}
}

func TestFalseDeadMessage(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 3)
	f.startAll()
	f.eventually("complete", f.complete)
	victim := f.agents["org1"]
	// org1 looks for itself as soon as it accepts the message, and org2 contradicts it: it is sent again until the test
	// has seen org1 believe it.
	incarnation := 1000
	f.eventually("memberlist accepts it", func() bool {
		incarnation++
		f.sendFalseMessage("org3", "org1", msgDead, map[string]any{"Incarnation": incarnation, "Node": "org2", "From": "org3"})
		for look := time.Now(); time.Since(look) < 50*time.Millisecond; runtime.Gosched() {
			if !victim.gossipAlive("org2") {
				return true
			}
		}
		return false
	})
	f.eventually("memberlist has corrected it", func() bool {
		if !victim.online("org2") {
			t.Error("org1 has given up org2, which it could reach, because of what org3 says")
		}
		return victim.gossipAlive("org2") || t.Failed()
	})
}

func TestFalseAliveMessage(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 3)
	f.startAll()
	f.eventually("complete", f.complete)
	f.agents["org2"].stop()
	delete(f.agents, "org2")
	victim := f.agents["org1"]
	f.eventually("org2 is missed", func() bool { return !victim.online("org2") && !victim.gossipAlive("org2") })
	alive := map[string]any{
		"Incarnation": 5000, "Node": "org2", "Addr": []byte(placeholderAddr), "Port": placeholderPort, "Vsn": []uint8{1, 5, 2, 0, 0, 0},
	}
	f.sendFalseMessage("org3", "org1", msgAlive, alive)
	f.eventually("memberlist accepts it", func() bool { return victim.gossipAlive("org2") })
	f.eventually("memberlist has corrected it", func() bool {
		if victim.online("org2") {
			t.Error("org1 takes org2 for Online because of what org3 says")
		}
		return !victim.gossipAlive("org2") || t.Failed()
	})
}

func TestAliveFilter(t *testing.T) {
	f := newTestbed(t, 2)
	a := f.start(f.orgs[0], f.group(trade), Group{Consortium: "fish", Members: []Peer{{Name: "org1"}, {Name: "org7"}}})
	good := memberlist.Node{Name: "org2", Addr: placeholderAddr, Port: uint16(placeholderPort), PMin: 1, PMax: 5, PCur: 2}
	for _, row := range []struct {
		why   string
		group string
		edit  func(*memberlist.Node)
		ok    bool
	}{
		{"a member", trade, func(*memberlist.Node) {}, true},
		{"this agent itself", trade, func(n *memberlist.Node) { n.Name = "org1" }, true},
		{"a newer memberlist that still speaks as we do", trade, func(n *memberlist.Node) { n.PMax = 9 }, true},
		{"somebody whom the plan does not have", trade, func(n *memberlist.Node) { n.Name = "org9" }, false},
		{"a member without a root yet", "fish", func(n *memberlist.Node) { n.Name = "org7" }, false},
		{"another address", trade, func(n *memberlist.Node) { n.Addr = []byte{192, 0, 2, 2} }, false},
		{"the same address, written so that the true one conflicts with it", trade, func(n *memberlist.Node) { n.Addr = placeholderAddr.To16() }, false},
		{"another port", trade, func(n *memberlist.Node) { n.Port = 1 }, false},
		{"metadata", trade, func(n *memberlist.Node) { n.Meta = []byte("x") }, false},
		{"a version that would make all exchanges fail", trade, func(n *memberlist.Node) { n.PMin = 5 }, false},
		{"another one", trade, func(n *memberlist.Node) { n.PMax, n.PCur = 1, 1 }, false},
		{"a delegate's version that would, too", trade, func(n *memberlist.Node) { n.DMin, n.DMax = 1, 1 }, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			n := good
			row.edit(&n)
			if err := (aliveFilter{a.group(row.group)}).NotifyAlive(&n); (err == nil) != row.ok {
				t.Error(err)
			}
		})
	}
}
