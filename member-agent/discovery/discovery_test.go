package discovery

import (
	"slices"
	"testing"
	"time"
)

func TestRecordsReachAllMembers(t *testing.T) {
	f := newTestbed(t, 10)
	f.startAll()
	t.Logf("all in contact after %s", f.eventually("complete", f.complete))
	var took []time.Duration
	for i, o := range f.orgs {
		sequence := int64(100 + i)
		if err := f.agents[o.name].Publish(trade, o.record(t, trade, sequence)); err != nil {
			t.Fatal(err)
		}
		took = append(took, f.eventually("the change is known everywhere", func() bool {
			for _, a := range f.agents {
				if !a.knows(o.name, sequence) {
					return false
				}
			}
			return true
		}))
	}
	slices.Sort(took)
	// How long it takes is for people to read: a machine that is busy with other tests takes longer.
	t.Logf("a change is known by all 10 after %s, %s at the most", took[len(took)/2], took[len(took)-1])
}

func TestOfflineMemberIsKept(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 4)
	f.startAll()
	f.eventually("complete", f.complete)
	lost := f.orgs[3]
	f.agents[lost.name].stop()
	delete(f.agents, lost.name)
	took := f.eventually("everybody misses org4", func() bool {
		for _, a := range f.agents {
			if a.online(lost.name) {
				return false
			}
		}
		return true
	})
	t.Logf("missed by all after %s", took)
	for _, a := range f.agents {
		m, ok := a.View(trade).Member(lost.name)
		if !ok || m.Record == nil || m.LastSeen.IsZero() {
			t.Errorf("%s has forgotten org4: %+v", a.org.name, m)
		}
	}
	back := f.start(lost, f.group(trade))
	took = f.eventually("org4 is back", f.complete)
	t.Logf("back everywhere, with everybody's records, after %s", took)
	if !back.knows(lost.name, 1) {
		t.Error("org4 has not been told its own last record, whose sequence it has to exceed")
	}
}

func TestRecordsAreRelayed(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 3)
	f.disconnect("org1", "org3", true)
	for _, o := range f.orgs {
		f.start(o, f.group(trade))
	}
	middle := f.agents["org2"]
	f.eventually("org2 is in contact with both", func() bool {
		return middle.online("org1") && middle.online("org3") && f.agents["org1"].online("org2") && f.agents["org3"].online("org2")
	})
	if err := f.agents["org1"].Publish(trade, f.orgs[0].record(t, trade, 3)); err != nil {
		t.Fatal(err)
	}
	took := f.eventually("org3 knows org1's record", func() bool { return f.agents["org3"].knows("org1", 3) })
	t.Logf("relayed after %s", took)
	if f.agents["org3"].online("org1") {
		t.Error("org3 takes org1 for Online on hearsay")
	}
}

func TestDisconnectedLineRecovers(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 3)
	f.startAll()
	f.eventually("complete", f.complete)
	lost := f.agents["org3"]
	for _, other := range []string{"org1", "org2"} {
		f.disconnect(other, "org3", true)
	}
	took := f.eventually("both sides miss each other, and nobody else", func() bool {
		return !f.agents["org1"].online("org3") && !f.agents["org2"].online("org3") && !lost.online("org1") && !lost.online("org2") &&
			f.agents["org1"].online("org2")
	})
	t.Logf("missed after %s", took)
	if err := lost.Publish(trade, f.orgs[2].record(t, trade, 2)); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"org1", "org2"} {
		f.disconnect(other, "org3", false)
	}
	took = f.eventually("in contact again", f.complete)
	t.Logf("in contact again after %s", took)
	f.eventually("what org3 has published meanwhile is known", func() bool {
		return f.agents["org1"].knows("org3", 2) && f.agents["org2"].knows("org3", 2)
	})
	f.eventually("the groups agree, too", func() bool {
		return lost.gossipAlive("org1") && f.agents["org1"].gossipAlive("org3") && f.agents["org2"].gossipAlive("org3")
	})
}
