package discovery

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestSetGroupsIsLevelTriggered(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 3)
	f.startAll()
	f.eventually("complete", f.complete)
	a := f.agents["org1"]
	set := func(rings ...Group) {
		t.Helper()
		if err := a.SetGroups(rings); err != nil {
			t.Fatal(err)
		}
	}
	before := a.group(trade).gossip
	set(f.group(trade))
	if a.group(trade).gossip != before || !a.online("org2") {
		t.Error("saying the same again has made a difference")
	}

	without := f.group(trade)
	without.Members = without.Members[:2]
	set(without)
	if _, ok := a.View(trade).Member("org3"); ok || !a.online("org2") {
		t.Errorf("without org3: %+v", a.View(trade))
	}
	if err := a.Offer(trade, f.orgs[2].record(t, trade, 9)); err == nil {
		t.Error("a record of org3 was taken, which is not in the group")
	}
	set(f.group(trade))
	f.eventually("org3 is back with its record", func() bool { return a.online("org3") && a.knows("org3", 1) })

	set()
	if v := a.View(trade); len(v.Members) != 0 {
		t.Errorf("no group: %+v", v)
	}
	f.eventually("the others miss org1", func() bool { return !f.agents["org2"].online("org1") })
	set(f.group(trade))
	f.eventually("complete again", f.complete)
}

func TestInvalidGroupKeepsThePrevious(t *testing.T) {
	f := newTestbed(t, 2)
	a := f.start(f.orgs[0], f.group(trade))
	if err := a.Offer(trade, f.orgs[1].record(t, trade, 1)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why  string
		ring Group
	}{
		{"a root that is none", Group{trade, []Peer{{"org1", "x"}}}},
		{"a member twice", Group{trade, []Peer{f.orgs[1].peer(), f.orgs[1].peer()}}},
		{"a member without a name", Group{trade, []Peer{{}}}},
		{"more members than a group has", Group{trade, make([]Peer, maxMembers+1)}},
	} {
		t.Run(row.why, func(t *testing.T) {
			if a.SetGroups([]Group{row.ring}) == nil {
				t.Error("taken")
			}
			if !a.knows("org2", 1) {
				t.Error("the group is not as it was")
			}
		})
	}
	if a.SetGroups([]Group{f.group(trade), {Consortium: strings.Repeat("x", maxGroupName+1)}}) == nil {
		t.Error("a name that does not fit into a greeting was taken")
	}
	if !a.knows("org2", 1) {
		t.Error("the good group has suffered from the bad one")
	}
}

func TestRootsComeLaterAndChange(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 2)
	org1, org2 := f.orgs[0], f.orgs[1]
	rootless := Group{Consortium: trade, Members: []Peer{org1.peer(), {Name: "org2"}}}
	a, b := f.start(org1, rootless), f.start(org2, f.group(trade))
	if err := b.Publish(trade, org2.record(t, trade, 1)); err != nil {
		t.Fatal(err)
	}
	if err := a.Offer(trade, org2.record(t, trade, 1)); err == nil {
		t.Error("a record was taken without a root to check it against")
	}
	if err := a.SetGroups([]Group{f.group(trade)}); err != nil {
		t.Fatal(err)
	}
	f.eventually("org1 knows org2", func() bool { return a.online("org2") && a.knows("org2", 1) })

	reborn := newOrganization(t, "org2")
	if err := a.SetGroups([]Group{{Consortium: trade, Members: []Peer{org1.peer(), reborn.peer()}}}); err != nil {
		t.Fatal(err)
	}
	if m, _ := a.View(trade).Member("org2"); m.Record != nil {
		t.Error("a record under the former root still counts")
	}
	f.eventually("the former org2 is not in contact any more", func() bool { return !a.online("org2") })
	if err := a.Offer(trade, reborn.record(t, trade, 1)); err != nil {
		t.Errorf("a record under the new root: %v", err)
	}
}

func TestRenewedCertificateIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 2)
	org1, org2 := f.orgs[0], f.orgs[1]
	var current atomic.Pointer[tls.Certificate]
	current.Store(&org1.agent)
	asked := atomic.Int64{}
	f.startWith(org1, func() (*tls.Certificate, error) { asked.Add(1); return current.Load(), nil }, f.group(trade))
	f.start(org2, f.group(trade))
	f.eventually("in contact", func() bool { return f.agents["org1"].online("org2") && f.agents["org2"].online("org1") })
	renewed := org1.certify(t, "org1")
	current.Store(&renewed)
	conn, err := f.call("org1", org1, &org2.agent)
	if err != nil {
		t.Fatal(err)
	}
	if !conn.ConnectionState().PeerCertificates[0].Equal(renewed.Leaf) {
		t.Error("the former certificate was shown")
	}
	// The same record signed again under the renewed certificate takes the place of the former envelope.
	first := org1.record(t, trade, 1)
	if err := f.agents["org1"].Publish(trade, first); err != nil {
		t.Fatal(err)
	}
	org1.agent = org1.certifyUntil(t, "org1", time.Now().Add(20*time.Hour))
	again := org1.record(t, trade, 1)
	if err := f.agents["org1"].Publish(trade, again); err != nil {
		t.Fatal(err)
	}
	f.eventually("org2 has the new envelope", func() bool {
		m, _ := f.agents["org2"].View(trade).Member("org1")
		signed := m.Signed[v1alpha1.StatementRecord].Statement
		return signed != nil && signed.Certificates == again.Certificates
	})
}

func TestLargeRecordsGetThrough(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 3)
	f.startAll()
	f.eventually("complete", f.complete)
	o := f.orgs[0]
	record := f.agents["org1"].View(trade).Records()["org1"]
	record.Sequence = 50
	for i := range 200 {
		record.Lines = append(record.Lines, v1alpha1.RecordLine{
			Name: strings.Repeat("a", 200) + "." + string(rune('a'+i/26)) + string(rune('a'+i%26)), Address: strings.Repeat("b", 60) + ".example", Port: 7443,
		})
	}
	env, err := o.sign(record)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(env.Payload))
	if err := f.agents["org1"].Publish(trade, env); err != nil {
		t.Fatal(err)
	}
	f.eventually("known everywhere", func() bool {
		return f.agents["org2"].knows("org1", 50) && f.agents["org3"].knows("org1", 50)
	})
}
