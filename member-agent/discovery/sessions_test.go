package discovery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery/mux"
)

// groupsOf are n groups of everybody, the first of which is trade.
func (f *testbed) groupsOf(n int) []Group {
	all := []Group{f.group(trade)}
	for i := 1; i < n; i++ {
		all = append(all, f.group(fmt.Sprintf("consortium-%d", i)))
	}
	return all
}

// inContact is whether all agents are in contact with everybody in all these groups.
func (f *testbed) inContact(groups []Group) bool {
	for _, a := range f.agents {
		for _, g := range groups {
			for _, m := range a.View(g.Consortium).Members {
				if !m.Online {
					return false
				}
			}
		}
	}
	return true
}

// TestGroupsShareConnections counts the connections between two agents: one that each has dialled, however many groups they
// have in common, also after one of them has restarted, or the line was cut.
func TestGroupsShareConnections(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 2)
	groups := f.groupsOf(25)
	for _, o := range f.orgs {
		f.start(o, groups...)
	}
	count := func(when string) {
		t.Helper()
		f.eventually("in contact in every group "+when, func() bool { return f.inContact(groups) })
		f.eventually("one connection each way "+when, func() bool {
			return f.traffic.open.Load() == 2 && f.connections("org1") == [2]float64{1, 1} && f.connections("org2") == [2]float64{1, 1}
		})
	}
	count("at first")
	// On a busy machine a handshake may take too long, and is begun again; there is never one for each group.
	if n := f.traffic.dialled.Load(); n >= int64(len(groups)) {
		t.Errorf("%d connections were dialled for it", n)
	}

	f.agents["org2"].stop()
	f.eventually("org2 is missed", func() bool { return !f.agents["org1"].online("org2") })
	f.start(f.orgs[1], groups...)
	count("after a restart")

	f.disconnect("org1", "org2", true)
	f.eventually("both miss each other in every group", func() bool {
		for _, g := range groups {
			one, _ := f.agents["org1"].View(g.Consortium).Member("org2")
			other, _ := f.agents["org2"].View(g.Consortium).Member("org1")
			if one.Online || other.Online {
				return false
			}
		}
		return true
	})
	f.disconnect("org1", "org2", false)
	count("after a cut")

	if err := f.agents["org1"].SetGroups(groups[:1]); err != nil {
		t.Fatal(err)
	}
	f.eventually("org2 misses org1 where it is no more", func() bool {
		m, _ := f.agents["org2"].View(groups[1].Consortium).Member("org1")
		return !m.Online
	})
	if !f.agents["org2"].online("org1") {
		t.Error("the group that is left has suffered from those that are not")
	}
	if err := f.agents["org1"].SetGroups(nil); err != nil {
		t.Fatal(err)
	}
	f.eventually("no connection without a group in common", func() bool { return f.connections("org1") == [2]float64{} })
}

// connections are the numbers of a member's connections by its metrics: dialled and accepted.
func (f *testbed) connections(member string) [2]float64 {
	f.t.Helper()
	var n [2]float64
	for i, direction := range []string{"out", "in"} {
		if m := f.agents[member].metric(f.t, "hanse_gossip_connections", direction); m != nil {
			n[i] = m.GetGauge().GetValue()
		}
	}
	return n
}

// TestOtherGroupsStayHidden: a member of one group learns nothing of another one: it is not named to it, and asking for its
// name is answered as for any name.
func TestOtherGroupsStayHidden(t *testing.T) {
	f := newTestbed(t, 3)
	org1, org2, org3 := f.orgs[0], f.orgs[1], f.orgs[2]
	secret := Group{Consortium: "secret", Members: []Peer{org1.peer(), org3.peer()}}
	common := Group{Consortium: trade, Members: []Peer{org1.peer(), org2.peer()}}
	f.start(org1, common, secret)
	f.start(org3, secret)
	asked := f.listenAs(org2, org1)
	f.eventually("org1 and org3 are in contact", func() bool {
		m, _ := f.agents["org1"].View("secret").Member("org3")
		return m.Online
	})
	if name := <-asked; name != trade {
		t.Errorf("org2 was asked for %q", name)
	}

	conn, err := f.call("org1", org1, &org2.agent)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mux.Client(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	for _, k := range []kind{kindPackets, kindStream} {
		for _, name := range []string{"secret", "nowhere", trade} {
			stream, err := f.openStream(session)
			if err != nil {
				t.Fatal(err)
			}
			if err := writeHandshake(stream, k, name); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(io.LimitReader(stream, 1))
			if name == trade {
				if err != nil || len(got) != 1 || got[0] != ack {
					t.Errorf("%c %s: %v %v", k, name, got, err)
				}
			} else if err != nil || len(got) != 0 {
				t.Errorf("%c %s: %v %v, not the plain end of a stream", k, name, got, err)
			}
		}
	}
	for len(asked) > 0 {
		if name := <-asked; name != trade {
			t.Errorf("org2 was asked for %q", name)
		}
	}
}

// listenAs listens in the place of an organization's agent, and says what groups it is asked for; none is accepted.
func (f *testbed) listenAs(o *organization, by *organization) <-chan string {
	f.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = listener.Close() })
	f.route(o.name, listener.Addr().String())
	known := newTrust()
	roots, err := new(rootCache).parse(by.rootPEM())
	if err != nil {
		f.t.Fatal(err)
	}
	known.add(&peer{name: by.name, rootPEM: by.rootPEM(), roots: roots})
	asked := make(chan string, 1<<10)
	go func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			session, err := mux.Server(tls.Server(raw, known.serverConfig(o.certificate)))
			if err != nil {
				return
			}
			f.t.Cleanup(session.Close)
			go func() {
				for {
					stream, err := session.Accept()
					if err != nil {
						return
					}
					if _, name, err := readHandshake(stream); err == nil {
						asked <- name
					}
					_ = stream.Close()
				}
			}()
		}
	}()
	return asked
}

// TestFloodOfOneGroupHarmsNoOther: whatever a member sends into one group, others that it is in go on over the same
// connection.
func TestFloodOfOneGroupHarmsNoOther(t *testing.T) {
	f := newTestbed(t, 2)
	groups := f.groupsOf(2)
	quiet := groups[1].Consortium
	a := f.start(f.orgs[0], groups...)
	conn, err := f.call("org1", f.orgs[0], &f.orgs[1].agent)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mux.Client(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	greet := func(k kind, group string) net.Conn {
		t.Helper()
		stream, err := f.openStream(session)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeHandshake(stream, k, group); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(stream, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return stream
	}
	flood := greet(kindPackets, trade)
	stop, flooding := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flooding)
		rubbish := append([]byte{msgUser}, make([]byte, 32<<10)...)
		for {
			select {
			case <-stop:
				return
			default:
				if writePacket(flood, rubbish) != nil {
					return
				}
			}
		}
	}()
	f.eventually("the flood is passed over", func() bool {
		return a.counter(t, "hanse_gossip_packets_dropped_total", "refused") > 1000
	})
	record := f.orgs[1].record(t, quiet, 7)
	state, err := appendFrame([]byte{msgUser}, frameStatement, &record)
	if err != nil {
		t.Fatal(err)
	}
	if err := writePacket(greet(kindPackets, quiet), state); err != nil {
		t.Fatal(err)
	}
	f.eventually("what comes in another group is taken", func() bool {
		m, _ := a.View(quiet).Member("org2")
		return m.Record != nil && m.Record.Sequence == 7
	})
	select {
	case <-flooding:
		t.Error("the flood has ended before")
	default:
	}
	close(stop)
	<-flooding
}

// TestTooManyStreams: streams that say nothing end the connection that they are opened on.
func TestTooManyStreams(t *testing.T) {
	f := newTestbed(t, 2)
	a := f.start(f.orgs[0], f.group(trade))
	conn, err := f.call("org1", f.orgs[0], &f.orgs[1].agent)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mux.Client(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	n := 0
	for ; n < 10*spareStreams; n++ {
		stream, err := f.openStream(session)
		if err != nil {
			break
		}
		// Each is one that the group does not take, and is never closed here.
		_ = writeHandshake(stream, kindStream, "nowhere")
	}
	<-session.Done()
	t.Logf("after %d streams", n)
	f.eventually("counted", func() bool {
		return a.counter(t, "hanse_gossip_connections_refused_total", "too_many") > 0
	})
	f.start(f.orgs[1], f.group(trade))
	f.eventually("an honest org2 is let in", func() bool { return a.online("org2") })
}

// TestConnectionsEndWithTheCertificate: a connection does not outlive the certificates that it was made with.
func TestConnectionsEndWithTheCertificate(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 2)
	org1, org2 := f.orgs[0], f.orgs[1]
	f.start(org1, f.group(trade))
	// On a busy machine it may take longer to get in contact than the first one is valid.
	brief, valid := org2.agent, 2*time.Second
	var current atomic.Pointer[tls.Certificate]
	renew := func() {
		valid *= 2
		brief = org2.certifyUntil(t, "org2", time.Now().Add(valid))
		current.Store(&brief)
	}
	renew()
	f.startWith(org2, func() (*tls.Certificate, error) { return current.Load(), nil }, f.group(trade))
	f.eventually("in contact while it is valid", func() bool {
		if time.Now().After(brief.Leaf.NotAfter) {
			renew()
		}
		return f.inContact([]Group{f.group(trade)}) && time.Now().Before(brief.Leaf.NotAfter)
	})
	dialled := f.traffic.dialled.Load()
	f.eventually("both miss each other", func() bool {
		return !f.agents["org1"].online("org2") && !f.agents["org2"].online("org1")
	})
	if !time.Now().After(brief.Leaf.NotAfter) {
		t.Error("before the certificate has expired")
	}
	current.Store(&org2.agent)
	f.eventually("in contact again with a new certificate", func() bool { return f.inContact([]Group{f.group(trade)}) })
	if f.traffic.dialled.Load() < dialled+2 {
		t.Error("over the connections of the former certificate")
	}
}

// TestRenewedCertificateReplacesConnections: the own new certificate is shown while the former one would still do.
func TestRenewedCertificateReplacesConnections(t *testing.T) {
	t.Parallel()
	f := newTestbed(t, 2)
	groups := f.groupsOf(3)
	var current atomic.Pointer[tls.Certificate]
	current.Store(&f.orgs[0].agent)
	a := f.startWith(f.orgs[0], func() (*tls.Certificate, error) { return current.Load(), nil }, groups...)
	f.start(f.orgs[1], groups...)
	f.eventually("in contact", func() bool { return f.inContact(groups) })
	renewed := f.orgs[0].certifyUntil(t, "org1", time.Now().Add(20*time.Hour))
	current.Store(&renewed)
	f.eventually("org2 has seen the new one, and both are in contact", func() bool {
		f.agents["org2"].sessions.mu.Lock()
		var seen bool
		for _, s := range f.agents["org2"].sessions.accepted["org1"] {
			seen = seen || s.until.Equal(renewed.Leaf.NotAfter)
		}
		f.agents["org2"].sessions.mu.Unlock()
		return seen && f.inContact(groups)
	})
	f.eventually("one connection each way", func() bool { return f.connections(a.org.name) == [2]float64{1, 1} })
}

// TestDialsAreShared: of a member that is away, all groups learn it from one attempt.
func TestDialsAreShared(t *testing.T) {
	o, other := newOrganization(t, "org1"), newOrganization(t, "org2")
	var dialled atomic.Int64
	away := errors.New("away")
	d, err := New(Options{
		Member: "org1", Listener: noListener{}, Certificate: o.certificate,
		Dial: func(_ context.Context, serverName string) (net.Conn, error) {
			if serverName != v1alpha1.AgentServerName("org2") {
				t.Errorf("%s was dialled", serverName)
			}
			dialled.Add(1)
			return nil, away
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.sessions.close)
	roots, err := d.roots.parse(other.rootPEM())
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{name: "org2", rootPEM: other.rootPEM(), roots: roots}
	began, errs := time.Now(), make(chan error)
	const many = 50
	for range many {
		go func() {
			_, err := d.openStream(t.Context(), p, kindPackets, trade)
			errs <- err
		}()
	}
	for range many {
		if err := <-errs; !errors.Is(err, away) {
			t.Error(err)
		}
	}
	if n := dialled.Load(); n > 1+int64(time.Since(began)/redialInterval) {
		t.Errorf("dialled %d times", n)
	}
}
