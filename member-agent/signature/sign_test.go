package signature

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
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
			{Name: "peer0-org1", Role: v1alpha1.RolePeer, Port: 7051},
		},
		Lines:         []v1alpha1.RecordLine{{Name: "org1-org2", Address: "10.0.1.1", Port: 7443}, {Name: "sat", Address: "gw.org1.example", Port: 443}},
		IdentityRoots: []string{text(root.cert)},
		TLSRoots:      []string{text(root.cert)},
	}
}

func TestSignThenVerify(t *testing.T) {
	root := newAuthority(t, "org1", nil)
	agent := root.agent(t, "org1", nil)
	want := good(root)
	env, err := Sign(agent.key, agent.chain, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Verify(&env, text(root.cert), "org1", "trade", today)
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
	foreign := good(root)
	foreign.Nodes[0].Name = "orderer0-org2"
	if _, err := Sign(agent.key, agent.chain, foreign); !errors.Is(err, ErrWrongMember) {
		t.Errorf("somebody else's node: %v", err)
	}
	if _, err := Sign(newKey(t, elliptic.P256()), agent.chain, good(root)); err == nil {
		t.Error("a key that is not that of the certificate is taken")
	}
	if _, err := Sign(agent.key, "", good(root)); !errors.Is(err, ErrMalformed) {
		t.Errorf("no chain: %v", err)
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
		env  *v1alpha1.SignedRecord
		root string
		now  time.Time
		want error
	}{
		{why: "the agent itself", env: agent.seal(t, record)},
		{why: "an intermediate CA is shown along", env: func() *v1alpha1.SignedRecord {
			s := below.agent(t, "org1", nil)
			s.chain += text(below.cert)
			return s.seal(t, record)
		}()},
		{why: "the intermediate CA is missing", env: below.agent(t, "org1", nil).seal(t, record), want: ErrUntrusted},
		{why: "another organization gives itself this one's name", env: other.agent(t, "org1", nil).seal(t, record), want: ErrUntrusted},
		{why: "another organization's root shown along does not help", env: func() *v1alpha1.SignedRecord {
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
			_, err := Verify(row.env, row.root, "org1", "trade", row.now)
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
		edit func(*v1alpha1.SignedRecord)
		want error
	}{
		{"nothing was changed", func(*v1alpha1.SignedRecord) {}, nil},
		{"not signed", func(e *v1alpha1.SignedRecord) { e.Signature = nil }, ErrSignature},
		{"another payload", func(e *v1alpha1.SignedRecord) {
			e.Payload = bytes.Replace(e.Payload, []byte("10.0.1.1"), []byte("10.0.9.9"), 1)
		}, ErrSignature},
		{"signed without the label, as something else", func(e *v1alpha1.SignedRecord) {
			sum := sha256.Sum256(e.Payload)
			e.Signature, _ = agent.key.Sign(nil, sum[:], nil)
		}, ErrSignature},
		{"no certificate", func(e *v1alpha1.SignedRecord) { e.Certificates = "" }, ErrMalformed},
		{"a key among the certificates", func(e *v1alpha1.SignedRecord) {
			e.Certificates += "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		}, ErrMalformed},
		{"text before the certificate", func(e *v1alpha1.SignedRecord) { e.Certificates = "hello\n" + e.Certificates }, ErrMalformed},
		{"a chain of five", func(e *v1alpha1.SignedRecord) { e.Certificates = strings.Repeat(e.Certificates, 5) }, ErrMalformed},
		{"certificates without end", func(e *v1alpha1.SignedRecord) { e.Certificates = strings.Repeat("x", 70<<10) }, ErrTooLarge},
		{"a payload without end", func(e *v1alpha1.SignedRecord) { e.Payload = make([]byte, v1alpha1.MaxRecordBytes) }, ErrTooLarge},
	} {
		t.Run(row.why, func(t *testing.T) {
			env := agent.seal(t, good(root))
			row.edit(env)
			if _, err := Verify(env, text(root.cert), "org1", "trade", today); !errors.Is(err, row.want) {
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
		{"more channels than a plan has", func(r *v1alpha1.Record) { r.Channels = make([]v1alpha1.RecordChannel, maxChannels+1) }, ErrTooLarge},
		{"a channel with a path for a name", func(r *v1alpha1.Record) {
			r.Channels = []v1alpha1.RecordChannel{{Name: "../goods", GenesisHash: strings.Repeat("a", 64)}}
		}, ErrMalformed},
		{"two first blocks for one channel", func(r *v1alpha1.Record) {
			r.Channels = []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: strings.Repeat("a", 64)}, {Name: "goods", GenesisHash: strings.Repeat("b", 64)}}
		}, ErrMalformed},
		{"a first block that is no hash", func(r *v1alpha1.Record) {
			r.Channels = []v1alpha1.RecordChannel{{Name: "goods", GenesisHash: strings.Repeat("A", 64)}}
		}, ErrMalformed},
		{"more lines than can be", func(r *v1alpha1.Record) { r.Lines = make([]v1alpha1.RecordLine, maxLines+1) }, ErrTooLarge},
		{"more roots than can be", func(r *v1alpha1.Record) { r.TLSRoots = make([]string, maxRecordRoots+1) }, ErrTooLarge},
		{"an address that is none", func(r *v1alpha1.Record) { r.Lines[0].Address = "$(reboot)" }, ErrMalformed},
		{"an address that means oneself", func(r *v1alpha1.Record) { r.Lines[0].Address = "0.0.0.0" }, ErrMalformed},
		{"a line twice", func(r *v1alpha1.Record) { r.Lines[1].Name = r.Lines[0].Name }, ErrMalformed},
		{"a TLS certificate that is none", func(r *v1alpha1.Record) { r.Nodes[0].TLSCertificate = "x" }, ErrMalformed},
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
			if _, err := Verify(agent.seal(t, record), text(root.cert), "org1", "trade", today); !errors.Is(err, row.want) {
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
		{"a field that a newer agent may have", `{"member":"org1","consortium":"trade","sequence":1,"motto":"x"}`, nil},
		{"two values", `{"member":"org1","consortium":"trade","sequence":1}{}`, ErrMalformed},
		{"no JSON", `member: org1`, ErrMalformed},
		{"a sequence that does not fit", `{"member":"org1","consortium":"trade","sequence":1e30}`, ErrMalformed},
		{"nothing", `null`, ErrWrongMember},
	} {
		t.Run(row.why, func(t *testing.T) {
			if _, err := Verify(agent.sealBytes(t, []byte(row.payload)), text(root.cert), "org1", "trade", today); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
}

// FuzzVerify looks for a panic, and for an envelope that is taken although the agent has not signed it. A part of the
// inputs is signed well, so that what comes after the signature is reached, too.
func FuzzVerify(f *testing.F) {
	root := newAuthority(f, "org1", nil)
	agent := root.agent(f, "org1", nil)
	env := agent.seal(f, good(root))
	f.Add(env.Payload, env.Certificates, env.Signature, true)
	f.Add(env.Payload, env.Certificates, env.Signature, false)
	f.Add([]byte(`{"member":"org1","consortium":"trade","sequence":1}`), "", []byte{0x30, 0x00}, true)
	f.Add([]byte(nil), "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", []byte(nil), false)
	f.Fuzz(func(t *testing.T, payload []byte, certificates string, sig []byte, signed bool) {
		given := &v1alpha1.SignedRecord{Payload: payload, Certificates: certificates, Signature: sig}
		if signed {
			given = agent.sealBytes(t, payload)
		}
		got, err := Verify(given, text(root.cert), "org1", "trade", today)
		switch {
		case err != nil && Reason(err) == "other":
			t.Fatalf("no word for %v", err)
		case err != nil:
		case !signed && !bytes.Equal(payload, env.Payload):
			t.Fatalf("taken, but never signed: %+v", got)
		case got.Member != "org1" || got.Consortium != "trade" || len(got.Nodes) > maxNodes:
			t.Fatalf("taken: %+v", got)
		}
	})
}
