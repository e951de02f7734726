package discovery

import (
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/discovery/mux"
	"github.com/hanse-io/hanse/statement"
)

func TestOfferedRecordsAreVerified(t *testing.T) {
	f := newTestbed(t, 2)
	org1, org2, unknown := f.orgs[0], f.orgs[1], newOrganization(t, "org9")
	impostor := newOrganization(t, "org2")
	a := f.start(org1, f.group(trade))
	if err := a.Offer(trade, org2.record(t, trade, 5)); err != nil {
		t.Fatal(err)
	}
	spoiled := func(edit func(*v1alpha1.StatementSpec)) v1alpha1.StatementSpec {
		env := org2.record(t, trade, 6)
		edit(&env)
		return env
	}
	for _, row := range []struct {
		why    string
		env    v1alpha1.StatementSpec
		want   error
		reason string
	}{
		{"known already", org2.record(t, trade, 5), nil, ""},
		{"older than the known one, played back", org2.record(t, trade, 4), nil, "stale"},
		{"of a member of no group", unknown.record(t, trade, 6), errNotMember, "not_member"},
		{"under another root of the same name", impostor.record(t, trade, 6), statement.ErrUntrusted, "untrusted"},
		{"about another consortium", org2.record(t, "fish", 6), statement.ErrWrongConsortium, "wrong_consortium"},
		{"not signed", spoiled(func(e *v1alpha1.StatementSpec) { e.Signature = nil }), statement.ErrSignature, "signature"},
		{"signed by org1 in the name of org2", spoiled(func(e *v1alpha1.StatementSpec) {
			e.Certificates = certPEM(org1.agent.Certificate[0])
		}), statement.ErrUntrusted, "untrusted"},
		{"larger than a record may be", spoiled(func(e *v1alpha1.StatementSpec) {
			e.Payload = make([]byte, v1alpha1.MaxStatementBytes+1)
		}), statement.ErrTooLarge, "too_large"},
		{"another payload", spoiled(func(e *v1alpha1.StatementSpec) { e.Payload = []byte("{}") }), statement.ErrSignature, "signature"},
		{"a first block that nobody has asked for", spoiled(func(e *v1alpha1.StatementSpec) {
			e.Kind, e.Subject = v1alpha1.StatementGenesis, "goods"
		}), errUnwanted, "unwanted"},
	} {
		t.Run(row.why, func(t *testing.T) {
			before := a.rejected(t, row.reason)
			if err := a.Offer(trade, row.env); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			if row.reason != "" && a.rejected(t, row.reason) != before+1 {
				t.Errorf("not counted as %s", row.reason)
			}
			if !a.knows(org2.name, 5) {
				t.Error("the good record is gone")
			}
		})
	}
	if err := a.Offer("fish", org2.record(t, "fish", 1)); !errors.Is(err, ErrNoGroup) {
		t.Errorf("for no group: %v", err)
	}
	if err := a.Publish(trade, org2.record(t, trade, 9)); err == nil {
		t.Error("somebody else's record was published")
	}
}

// call makes a connection to an agent as somebody with that certificate would.
func (f *testbed) call(to string, root *organization, certificate *tls.Certificate) (*tls.Conn, error) {
	f.t.Helper()
	raw, err := f.dial(f.t.Context(), v1alpha1.AgentServerName(to))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = raw.Close() })
	if err := raw.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		f.t.Fatal(err)
	}
	certs, err := statement.ParseRoot(root.rootPEM())
	if err != nil {
		f.t.Fatal(err)
	}
	config := clientConfig(to, certs, func() (*tls.Certificate, error) {
		if certificate == nil {
			return &tls.Certificate{}, nil
		}
		return certificate, nil
	})
	conn := tls.Client(raw, config)
	return conn, conn.Handshake()
}

// callStream is the first stream of a connection that call makes.
func (f *testbed) callStream(to string, root *organization, certificate *tls.Certificate) (net.Conn, error) {
	f.t.Helper()
	conn, err := f.call(to, root, certificate)
	if err != nil {
		return nil, err
	}
	session, err := mux.Client(conn)
	if err != nil {
		return nil, err
	}
	f.t.Cleanup(session.Close)
	return f.openStream(session)
}

// openStream opens another stream, which has a minute for everything.
func (f *testbed) openStream(session *mux.Session) (net.Conn, error) {
	f.t.Helper()
	conn, err := session.Open(f.t.Context())
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(time.Minute))
}

func TestClientsAreAuthenticated(t *testing.T) {
	f := newTestbed(t, 3)
	org1, org2, org3 := f.orgs[0], f.orgs[1], f.orgs[2]
	fish := Group{Consortium: "fish", Members: []Peer{org1.peer(), org3.peer()}}
	a := f.start(org1, f.group(trade), fish)
	impostor := newOrganization(t, "org2")
	forged := org3.certify(t, "org2")
	for _, row := range []struct {
		why         string
		certificate *tls.Certificate
		greeting    []byte
		welcome     bool
		reason      string
	}{
		{"a member, for packets", &org2.agent, []byte("\x01P\x05trade"), true, ""},
		{"a member, for a stream", &org2.agent, []byte("\x01S\x05trade"), true, ""},
		{"nobody", nil, []byte("\x01P\x05trade"), false, "tls"},
		{"an organization that nobody knows", &newOrganization(t, "org9").agent, []byte("\x01P\x05trade"), false, "tls"},
		{"a member's name under another root", &impostor.agent, []byte("\x01P\x05trade"), false, "tls"},
		{"a member's name under another member's root", &forged, []byte("\x01P\x05trade"), false, "tls"},
		{"a member of another group", &org2.agent, []byte("\x01P\x04fish"), false, "group"},
		{"an unknown group", &org2.agent, []byte("\x01P\x04meat"), false, "group"},
		{"a version to come", &org2.agent, []byte("\x02P\x05trade"), false, "handshake"},
		{"a kind that there is not", &org2.agent, []byte("\x01X\x05trade"), false, "handshake"},
		{"a name without end", &org2.agent, append([]byte("\x01P\xff"), make([]byte, 255)...), false, "handshake"},
	} {
		t.Run(row.why, func(t *testing.T) {
			before := a.counter(t, "hanse_gossip_connections_refused_total", row.reason)
			conn, err := f.callStream("org1", org1, row.certificate)
			if err == nil {
				_, err = conn.Write(row.greeting)
			}
			if err == nil {
				_, err = io.ReadFull(conn, make([]byte, 1))
			}
			if (err == nil) != row.welcome {
				t.Errorf("welcome %v: %v", row.welcome, err)
			}
			if row.reason != "" {
				f.eventually("counted as "+row.reason, func() bool {
					return a.counter(t, "hanse_gossip_connections_refused_total", row.reason) == before+1
				})
			}
		})
	}
}

func TestServerIsAuthenticated(t *testing.T) {
	f := newTestbed(t, 2)
	org1, org2 := f.orgs[0], f.orgs[1]
	// Somebody on the line answers in org2's place, with org2's name under a root of his own, and believes everybody.
	impostor := newOrganization(t, "org2")
	a := f.start(org1, f.group(trade))
	fake := f.start(impostor, Group{Consortium: trade, Members: []Peer{org1.peer(), impostor.peer()}})
	if err := fake.Publish(trade, impostor.record(t, trade, 9)); err != nil {
		t.Fatal(err)
	}
	f.eventually("the impostor has been called by org1 and refused in turn", func() bool {
		return fake.counter(t, "hanse_gossip_connections_refused_total", "tls") > 1 &&
			a.counter(t, "hanse_gossip_connections_refused_total", "tls") > 1
	})
	if m, _ := a.View(trade).Member("org2"); m.Online || m.Record != nil {
		t.Errorf("org1 takes the impostor for org2: %+v", m)
	}
	fake.stop()
	f.start(org2, f.group(trade))
	f.eventually("the real org2 is known", func() bool { return a.online("org2") })
}

func TestProtocolViolations(t *testing.T) {
	f := newTestbed(t, 2)
	org1, org2 := f.orgs[0], f.orgs[1]
	a := f.start(org1, f.group(trade))
	for _, row := range []struct {
		why  string
		kind kind
		sent []byte
	}{
		{"an empty packet", kindPackets, []byte{0, 0}},
		{"a compressed packet, which may unfold to anything", kindPackets, []byte{0, 3, 9, 0, 0}},
		{"a packet that has no place here", kindPackets, []byte{0, 2, msgPushPull, 0}},
		{"a compressed stream", kindStream, []byte{9, 0}},
		{"a hundred million nodes", kindStream, append([]byte{msgPushPull}, pack(t, map[string]any{"Nodes": 1 << 20, "UserStateLen": 0})...)},
		{"records without end", kindStream, append([]byte{msgUser}, pack(t, map[string]any{"UserMsgLen": 20 << 20})...)},
	} {
		t.Run(row.why, func(t *testing.T) {
			conn, err := f.callStream("org1", org1, &org2.agent)
			if err != nil {
				t.Fatal(err)
			}
			if err := writeHandshake(conn, row.kind, trade); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(row.sent); err != nil {
				t.Fatal(err)
			}
			// Whatever is answered, the connection ends at once.
			if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
				t.Error("the connection is still open")
			}
		})
	}
	f.start(org2, f.group(trade))
	f.eventually("the group works all the same", func() bool { return a.online("org2") })
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// A record that is not what its signer may say is refused by everybody although the signature is good.
func TestMalformedStatementIsRejected(t *testing.T) {
	f := newTestbed(t, 3)
	f.startAll()
	f.eventually("complete", f.complete)
	unsigned, err := statement.NewRecord(v1alpha1.Record{Member: "org2", Consortium: trade, Sequence: 99,
		Nodes: []v1alpha1.RecordNode{{Name: "peer0-org3", Role: v1alpha1.RolePeer, Port: 7051}}})
	if err != nil {
		t.Fatal(err)
	}
	env := signAnything(t, f.orgs[1], unsigned)
	state, err := appendFrame(nil, frameStatement, &env)
	if err != nil {
		t.Fatal(err)
	}
	sender := f.agents["org2"]
	if err := sender.group(trade).gossip.send("org1", state); err != nil {
		t.Fatal(err)
	}
	f.eventually("org1 has rejected it", func() bool { return f.agents["org1"].rejected(t, "wrong_member") > 0 })
	for _, a := range f.agents {
		if !a.knows("org2", 1) {
			t.Errorf("%s: %+v", a.org.name, a.View(trade))
		}
	}
}

// signAnything signs a statement without a look at its content.
func signAnything(t *testing.T, o *organization, s v1alpha1.StatementSpec) v1alpha1.StatementSpec {
	t.Helper()
	sum, err := hex.DecodeString(statement.Digest(&s))
	if err != nil {
		t.Fatal(err)
	}
	if s.Signature, err = ecdsa.SignASN1(nil, o.agent.PrivateKey.(*ecdsa.PrivateKey), sum); err != nil {
		t.Fatal(err)
	}
	s.Certificates = certPEM(o.agent.Certificate[0])
	return s
}

func TestRecordsAreRateLimited(t *testing.T) {
	f := newTestbed(t, 2)
	a := f.start(f.orgs[0], f.group(trade))
	conn, err := f.callStream("org1", f.orgs[0], &f.orgs[1].agent)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeHandshake(conn, kindPackets, trade); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	env := newOrganization(t, "org2").record(t, trade, 9)
	state, err := appendFrame([]byte{msgUser}, frameStatement, &env)
	if err != nil {
		t.Fatal(err)
	}
	const flood = 500
	for range flood {
		if err := writePacket(conn, state); err != nil {
			t.Fatal(err)
		}
	}
	f.eventually("most of it was passed over", func() bool {
		return a.counter(t, "hanse_gossip_packets_dropped_total", "refused") > flood/2
	})
	if n := a.rejected(t, "untrusted"); n > flood/2 {
		t.Errorf("%v records were verified", n)
	}
}

func TestMemberMetrics(t *testing.T) {
	f := newTestbed(t, 3)
	a := f.start(f.orgs[0], f.group(trade))
	f.start(f.orgs[1], f.group(trade))
	f.eventually("in contact", func() bool { return a.online("org2") })
	if online, unknown := a.gauge(t, "online"), a.gauge(t, "unknown"); online != 2 || unknown != 1 {
		t.Errorf("%v online and %v unknown", online, unknown)
	}
	if err := a.SetGroups(nil); err != nil {
		t.Fatal(err)
	}
	if n := a.gauge(t, "online"); n != -1 {
		t.Errorf("a group that was left still counts %v", n)
	}
}
