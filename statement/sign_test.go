package statement

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// good is a record that everybody takes.
func good(root *authority) v1alpha1.Record {
	return v1alpha1.Record{
		Member: "org1", Consortium: "trade", Sequence: 7,
		Nodes: []v1alpha1.RecordNode{
			{Name: "orderer0-org1", Role: v1alpha1.RoleOrderer, Port: 7050, TLSCertificate: text(root.cert)},
			{Name: "peer0-org1", Role: v1alpha1.RolePeer, Port: 7051, PublicKey: opensslEd25519},
		},
		IdentityKeys:  []string{opensslSecp256k1},
		Lines:         []v1alpha1.RecordLine{{Name: "org1-org2", Address: "10.0.1.1", Port: 7443}, {Name: "sat", Address: "gw.org1.example", Port: 443}},
		IdentityRoots: []string{text(root.cert)},
		TLSRoots:      []string{text(root.cert)},
	}
}

func TestSignThenVerify(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	want := good(root)
	unsigned, err := NewRecord(want)
	if err != nil {
		t.Fatal(err)
	}
	env, err := Sign(agent.key, agent.chain, unsigned, Content)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(&env, text(root.cert), "org1", "trade", today, Content); err != nil {
		t.Fatal(err)
	}
	got, err := Record(&env)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	until, err := Expiry(&env)
	if err != nil || !until.Equal(today.Add(24*time.Hour)) {
		t.Errorf("expiry %s, %v", until, err)
	}
}

func TestSignRefusesWhatNobodyWouldTake(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	record := func(edit func(*v1alpha1.Record)) v1alpha1.StatementSpec {
		r := good(root)
		edit(&r)
		s, err := NewRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, row := range []struct {
		why   string
		given v1alpha1.StatementSpec
		key   crypto.Signer
		chain string
		want  error // nil for any
	}{
		{"somebody else's node", record(func(r *v1alpha1.Record) { r.Nodes[0].Name = "orderer0-org2" }), agent.key, agent.chain, ErrWrongMember},
		{"a kind that there is not", v1alpha1.StatementSpec{Member: "org1", Consortium: "trade", Kind: "Gossip", Sequence: 1}, agent.key, agent.chain, ErrMalformed},
		{"a first block that is none", func() v1alpha1.StatementSpec {
			s := NewGenesis("trade", "org1", "goods", []byte("block"))
			s.Sequence = 1
			return s
		}(), agent.key, agent.chain, ErrMalformed},
		{"no sequence", record(func(r *v1alpha1.Record) { r.Sequence = 0 }), agent.key, agent.chain, ErrMalformed},
		{"a key that is not that of the certificate", record(func(*v1alpha1.Record) {}), newKey(t, elliptic.P256()), agent.chain, nil},
		{"no chain", record(func(*v1alpha1.Record) {}), agent.key, "", ErrMalformed},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := Sign(row.key, row.chain, row.given, Content)
			if err == nil || (row.want != nil && !errors.Is(err, row.want)) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

func TestVerifyChecksWhoSigned(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	other := newAuthority(t, "org2", nil)
	below := newAuthority(t, "org1 below", root)
	agent := root.agent(t, "org1", nil)
	record := good(root)
	for _, row := range []struct {
		why  string
		env  *v1alpha1.StatementSpec
		root string
		now  time.Time
		want error
	}{
		{why: "the agent itself", env: agent.seal(t, record)},
		{why: "an intermediate CA is shown along", env: func() *v1alpha1.StatementSpec {
			s := below.agent(t, "org1", nil)
			s.chain += text(below.cert)
			return s.seal(t, record)
		}()},
		{why: "the intermediate CA is missing", env: below.agent(t, "org1", nil).seal(t, record), want: ErrUntrusted},
		{why: "another organization gives itself this one's name", env: other.agent(t, "org1", nil).seal(t, record), want: ErrUntrusted},
		{why: "another organization's root shown along does not help", env: func() *v1alpha1.StatementSpec {
			s := other.agent(t, "org1", nil)
			s.chain += text(other.cert)
			return s.seal(t, record)
		}(), want: ErrUntrusted},
		{why: "the same organization's agent of another name", env: root.agent(t, "org2", nil).seal(t, record), want: ErrWrongSigner},
		{why: "the gateway's certificate, which is there to be seen by everybody", env: root.agent(t, "org1", func(c *x509.Certificate) {
			c.DNSNames = []string{v1alpha1.GatewayServerName("org1")}
		}).seal(t, record), want: ErrWrongSigner},
		{why: "a name in the common name only", env: root.agent(t, "org1", func(c *x509.Certificate) {
			c.DNSNames, c.Subject.CommonName = nil, v1alpha1.AgentServerName("org1")
		}).seal(t, record), want: ErrWrongSigner},
		{why: "a certificate that is not for signing", env: root.agent(t, "org1", func(c *x509.Certificate) {
			c.KeyUsage = x509.KeyUsageKeyAgreement
		}).seal(t, record), want: ErrWrongSigner},
		{why: "another curve", env: root.agentWithKey(t, "org1", newKey(t, elliptic.P384()), nil).seal(t, record), want: ErrWrongSigner},
		{why: "a CA signs itself", env: root.agent(t, "org1", func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid = true, true
		}).seal(t, record), want: ErrWrongSigner},
		{why: "expired long ago", env: agent.seal(t, record), now: today.AddDate(0, 0, 3), want: ErrExpired},
		{why: "not valid yet", env: agent.seal(t, record), now: today.AddDate(0, 0, -3), want: ErrExpired},
		{why: "just expired, or the clocks differ", env: agent.seal(t, record), now: today.Add(24*time.Hour + time.Minute)},
		{why: "just issued, or the clocks differ", env: agent.seal(t, record), now: today.Add(-time.Hour - time.Minute)},
		{why: "no root is pinned", env: agent.seal(t, record), root: " ", want: ErrNoRoot},
		{why: "the pinned root is no certificate", env: agent.seal(t, record), root: "trust me", want: ErrNoRoot},
		{why: "there is none", want: ErrMalformed},
	} {
		t.Run(row.why, func(t *testing.T) {
			if row.root == "" {
				row.root = text(root.cert)
			}
			if row.now.IsZero() {
				row.now = today
			}
			err := Verify(row.env, row.root, "org1", "trade", row.now, Content)
			if !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			if err != nil && Reason(err) == "other" {
				t.Errorf("no word for %v", err)
			}
		})
	}
}

func TestVerifyChecksTheEnvelope(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	for _, row := range []struct {
		why  string
		edit func(*v1alpha1.StatementSpec)
		want error
	}{
		{"nothing was changed", func(*v1alpha1.StatementSpec) {}, nil},
		{"not signed", func(e *v1alpha1.StatementSpec) { e.Signature = nil }, ErrSignature},
		{"another payload", func(e *v1alpha1.StatementSpec) {
			e.Payload = bytes.Replace(e.Payload, []byte("10.0.1.1"), []byte("10.0.9.9"), 1)
		}, ErrSignature},
		{"a first block's signature on a record", func(e *v1alpha1.StatementSpec) { e.Kind = v1alpha1.StatementGenesis }, ErrSignature},
		{"another subject", func(e *v1alpha1.StatementSpec) { e.Subject = "goods" }, ErrSignature},
		{"a higher sequence", func(e *v1alpha1.StatementSpec) { e.Sequence++ }, ErrSignature},
		{"signed without the label, as something else", func(e *v1alpha1.StatementSpec) {
			sum := sha256.Sum256(e.Payload)
			e.Signature, _ = agent.key.Sign(nil, sum[:], nil)
		}, ErrSignature},
		{"no certificate", func(e *v1alpha1.StatementSpec) { e.Certificates = "" }, ErrMalformed},
		{"a key among the certificates", func(e *v1alpha1.StatementSpec) {
			e.Certificates += "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		}, ErrMalformed},
		{"text before the certificate", func(e *v1alpha1.StatementSpec) { e.Certificates = "hello\n" + e.Certificates }, ErrMalformed},
		{"a chain of five", func(e *v1alpha1.StatementSpec) { e.Certificates = strings.Repeat(e.Certificates, 5) }, ErrMalformed},
		{"certificates without end", func(e *v1alpha1.StatementSpec) { e.Certificates = strings.Repeat("x", 70<<10) }, ErrTooLarge},
		{"a payload without end", func(e *v1alpha1.StatementSpec) { e.Payload = make([]byte, v1alpha1.MaxStatementBytes) }, ErrTooLarge},
	} {
		t.Run(row.why, func(t *testing.T) {
			env := agent.seal(t, good(root))
			row.edit(env)
			if err := Verify(env, text(root.cert), "org1", "trade", today, Content); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

func TestVerifyChecksWhatIsSaid(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	node := func(name string, port int32) v1alpha1.RecordNode {
		return v1alpha1.RecordNode{Name: name, Role: v1alpha1.RolePeer, Port: port}
	}
	for _, row := range []struct {
		why  string
		edit func(*v1alpha1.Record)
		want error
	}{
		{"another member", func(r *v1alpha1.Record) { r.Member = "org2" }, ErrWrongMember},
		{"a record of another consortium, played back", func(r *v1alpha1.Record) { r.Consortium = "fish" }, ErrWrongConsortium},
		{"no sequence", func(r *v1alpha1.Record) { r.Sequence = 0 }, ErrMalformed},
		{"a sequence that no Statement object can hold", func(r *v1alpha1.Record) { r.Sequence = 1 << 53 }, ErrMalformed},
		{"somebody else's node", func(r *v1alpha1.Record) { r.Nodes[0].Name = "peer0-org2" }, ErrWrongMember},
		{"a node of big-org1 ends in -org1, too", func(r *v1alpha1.Record) { r.Nodes[0].Name = "peer0-big-org1" }, ErrWrongMember},
		{"a node without a name of its own", func(r *v1alpha1.Record) { r.Nodes[0].Name = "-org1" }, ErrWrongMember},
		{"a node in another namespace", func(r *v1alpha1.Record) { r.Nodes[0].Name = "peer0.other-org1" }, ErrWrongMember},
		{"a node twice", func(r *v1alpha1.Record) { r.Nodes[0].Name = r.Nodes[1].Name }, ErrMalformed},
		{"a role that there is not", func(r *v1alpha1.Record) { r.Nodes[0].Role = "King" }, ErrMalformed},
		{"port 0", func(r *v1alpha1.Record) { r.Nodes[0].Port = 0 }, ErrMalformed},
		{"port 65536", func(r *v1alpha1.Record) { r.Lines[0].Port = 65536 }, ErrMalformed},
		{"more nodes than can be", func(r *v1alpha1.Record) {
			r.Nodes = make([]v1alpha1.RecordNode, maxNodes+1)
		}, ErrTooLarge},
		{"more lines than can be", func(r *v1alpha1.Record) { r.Lines = make([]v1alpha1.RecordLine, maxLines+1) }, ErrTooLarge},
		{"more roots than can be", func(r *v1alpha1.Record) { r.TLSRoots = make([]string, maxRecordRoots+1) }, ErrTooLarge},
		{"an address that is none", func(r *v1alpha1.Record) { r.Lines[0].Address = "$(reboot)" }, ErrMalformed},
		{"an address that means oneself", func(r *v1alpha1.Record) { r.Lines[0].Address = "0.0.0.0" }, ErrMalformed},
		{"a line twice", func(r *v1alpha1.Record) { r.Lines[1].Name = r.Lines[0].Name }, ErrMalformed},
		{"a TLS certificate that is none", func(r *v1alpha1.Record) { r.Nodes[0].TLSCertificate = "x" }, ErrMalformed},
		{"a role that the node's name does not fit", func(r *v1alpha1.Record) { r.Nodes[0].Role = v1alpha1.RolePeer }, ErrMalformed},
		{"a role of a ledger that this agent does not know", func(r *v1alpha1.Record) { r.Nodes[0].Name, r.Nodes[0].Role = "archive0-org1", "Archive" }, nil},
		{"bare keys, on a ledger without certificates", func(r *v1alpha1.Record) {
			r.Nodes[0].PublicKey, r.IdentityKeys = opensslEd25519, []string{opensslSecp256k1, opensslEd25519}
		}, nil},
		{"a node's key that is none", func(r *v1alpha1.Record) { r.Nodes[1].PublicKey = "x" }, ErrMalformed},
		{"a certificate where a key belongs", func(r *v1alpha1.Record) { r.Nodes[0].PublicKey = r.TLSRoots[0] }, ErrMalformed},
		{"an identity key that is none", func(r *v1alpha1.Record) { r.IdentityKeys = []string{opensslEd25519, ""} }, ErrMalformed},
		{"more identity keys than can be", func(r *v1alpha1.Record) {
			r.IdentityKeys = slices.Repeat([]string{opensslEd25519}, maxRecordRoots+1)
		}, ErrTooLarge},
		{"a root that is none", func(r *v1alpha1.Record) { r.IdentityRoots[0] = "x" }, ErrMalformed},
		{"a root that is no CA", func(r *v1alpha1.Record) { r.TLSRoots[0] = agent.chain }, ErrMalformed},
		{"two roots in one text", func(r *v1alpha1.Record) { r.TLSRoots[0] += r.TLSRoots[0] }, ErrMalformed},
		{"no nodes, no lines and no roots yet", func(r *v1alpha1.Record) {
			*r = v1alpha1.Record{Member: r.Member, Consortium: r.Consortium, Sequence: 1}
		}, nil},
		{"another peer", func(r *v1alpha1.Record) { r.Nodes = append(r.Nodes, node("peer31-org1", 7051)) }, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			record := good(root)
			row.edit(&record)
			if err := Verify(agent.seal(t, record), text(root.cert), "org1", "trade", today, Content); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

func TestVerifyPayloads(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	for _, row := range []struct {
		why, payload string
		want         error
	}{
		{"a field that a newer agent may have", `{"motto":"x"}`, nil},
		{"two values", `{}{}`, ErrMalformed},
		{"no JSON", `nodes: 1`, ErrMalformed},
		{"a port that does not fit", `{"nodes":[{"name":"peer0-org1","role":"Peer","port":1e30}]}`, ErrMalformed},
		{"what the statement says cannot be said otherwise in its payload", `{"member":"org2","Consortium":"fish","sequence":9}`, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			if err := Verify(agent.sealPayload(t, []byte(row.payload)), text(root.cert), "org1", "trade", today, Content); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

// TestVerifyHoldings has a row for each thing that Holdings must not say.
func TestVerifyHoldings(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	hash := strings.Repeat("a", 64)
	for _, row := range []struct {
		why      string
		channels []v1alpha1.RecordChannel
		subject  string
		want     error
	}{
		{"one", []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: hash}}, "", nil},
		{"none", nil, "", nil},
		{"of one channel only, so that two statements could say two things", nil, "goods", ErrMalformed},
		{"more than a plan has", make([]v1alpha1.RecordChannel, maxChannels+1), "", ErrTooLarge},
		{"a path for a name", []v1alpha1.RecordChannel{{Name: "../goods", GenesisHash: hash}}, "", ErrMalformed},
		{"two first blocks for one channel", []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: hash}, {Name: "goods", GenesisHash: strings.Repeat("b", 64)}}, "", ErrMalformed},
		{"a first block that is no hash", []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: strings.Repeat("A", 64)}}, "", ErrMalformed},
	} {
		t.Run(row.why, func(t *testing.T) {
			s, err := NewHoldings("trade", "org1", row.channels)
			if err != nil {
				t.Fatal(err)
			}
			s.Sequence, s.Subject = 1, row.subject
			if err := Verify(agent.sign(t, s), text(root.cert), "org1", "trade", today, Content); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

// FuzzVerify looks for a panic, and for a statement that is taken although the agent has not signed it. A part of the inputs
// is signed well, so that what comes after the signature is reached, too.
func FuzzVerify(f *testing.F) {
	root := newAuthority(f, "org1", nil)
	agent := root.agent(f, "org1", nil)
	env := agent.seal(f, good(root))
	f.Add(string(env.Kind), "", env.Payload, env.Certificates, env.Signature, true)
	f.Add(string(env.Kind), "", env.Payload, env.Certificates, env.Signature, false)
	f.Add("Holdings", "", []byte(`[{"name":"goods","genesisHash":"00"}]`), "", []byte{0x30, 0x00}, true)
	if block, err := Compress([]byte("block")); err == nil {
		f.Add("Genesis", "goods", block, "", []byte(nil), true)
	}
	f.Add("", "", []byte(nil), "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", []byte(nil), false)
	f.Fuzz(func(t *testing.T, kind, subject string, payload []byte, certificates string, sig []byte, signed bool) {
		given := &v1alpha1.StatementSpec{
			Member: "org1", Consortium: "trade", Sequence: 7, Kind: v1alpha1.StatementKind(kind), Subject: subject,
			Payload: payload, Certificates: certificates, Signature: sig,
		}
		if signed {
			given = agent.sign(t, *given)
		}
		err := Verify(given, text(root.cert), "org1", "trade", today, Content)
		switch {
		case err != nil && Reason(err) == "other":
			t.Fatalf("no word for %v", err)
		case err != nil:
		case !signed && Digest(given) != Digest(env):
			t.Fatalf("taken, but never signed: %+v", given)
		}
	})
}
