package discovery

import (
	"testing"
	"time"
)

func TestRecordsReachEverybody(t *testing.T) {
	f := newFleet(t, 10)
	f.startAll()
	t.Logf("all in contact after %s", f.eventually(20*time.Second, "complete", f.complete))
	var worst time.Duration
	for i, o := range f.orgs {
		sequence := int64(100 + i)
		if err := f.agents[o.name].Publish(trade, o.record(t, trade, sequence)); err != nil {
			t.Fatal(err)
		}
		took := f.eventually(5*time.Second, "the change is known everywhere", func() bool {
			for _, a := range f.agents {
				if !a.knows(o.name, sequence) {
					return false
				}
			}
			return true
		})
		worst = max(worst, took)
	}
	t.Logf("a change is known by all 10 after %s at the most", worst)
	if worst > time.Second {
		t.Errorf("a change took %s to be known everywhere, where 1s is the most", worst)
	}
}

func TestLostMemberIsKeptAndComesBack(t *testing.T) {
	f := newFleet(t, 4)
	f.startAll()
	f.eventually(10*time.Second, "complete", f.complete)
	lost := f.orgs[3]
	f.agents[lost.name].stop()
	delete(f.agents, lost.name)
	took := f.eventually(15*time.Second, "everybody misses org4", func() bool {
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
	back := f.start(lost, f.ring(trade))
	took = f.eventually(15*time.Second, "org4 is back", f.complete)
	t.Logf("back everywhere, with everybody's records, after %s", took)
	if !back.knows(lost.name, 1) {
		t.Error("org4 has not been told its own last record, whose sequence it has to exceed")
	}
}
