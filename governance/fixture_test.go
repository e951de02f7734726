package governance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// organization is one member with its root, and the keys that it has certified for its voters and its agent.
type organization struct {
	name         string
	root         string
	key          *ecdsa.PrivateKey
	cert         *x509.Certificate
	voter, agent signer
}

type signer struct {
	key   *ecdsa.PrivateKey
	chain string
}

func newOrganization(t testing.TB, name string) *organization {
	t.Helper()
	o := &organization{name: name, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: today.AddDate(-1, 0, 0), NotAfter: today.AddDate(9, 0, 0),
	}
	o.cert, o.root = certify(t, template, template, &o.key.PublicKey, o.key)
	o.voter, o.agent = o.signer(t, v1alpha1.VoterServerName(name)), o.signer(t, v1alpha1.AgentServerName(name))
	return o
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certify(t testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) (*x509.Certificate, string) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (o *organization) signer(t testing.TB, name string) signer {
	t.Helper()
	key := newKey(t)
	_, chain := certify(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: today.Add(-time.Hour), NotAfter: today.Add(24 * time.Hour),
	}, o.cert, &key.PublicKey, o.key)
	return signer{key, chain}
}

func (o *organization) member(t testing.TB) Member {
	t.Helper()
	roots, err := Fingerprints(o.root)
	if err != nil {
		t.Fatal(err)
	}
	return Member{Name: o.name, Roots: roots}
}

// consortium is some organizations and the log that they have made.
type consortium struct {
	organizations []*organization
	trust         Certificates
	founded       []v1alpha1.StatementSpec
	state         *State
	sequence      int64
}

func newConsortium(t testing.TB, rules Rules, names ...string) *consortium {
	t.Helper()
	c := &consortium{trust: Certificates{}}
	charter := Charter{Consortium: "trade", Ledger: v1alpha1.LedgerFabric, Rules: rules, Quorum: Majority}
	for _, name := range names {
		charter.Members = append(charter.Members, c.add(t, name).member(t))
	}
	for _, o := range c.organizations {
		s, err := NewCharter(o.name, c.next(), charter)
		c.founded = append(c.founded, sign(t, o.voter, s, err))
	}
	var err error
	if c.state, err = Found(c.founded, c.trust); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *consortium) add(t testing.TB, name string) *organization {
	t.Helper()
	o := newOrganization(t, name)
	if err := c.trust.Add(o.root); err != nil {
		t.Fatal(err)
	}
	c.organizations = append(c.organizations, o)
	return o
}

func (c *consortium) next() int64 { c.sequence++; return c.sequence }

func (c *consortium) organization(name string) *organization {
	for _, o := range c.organizations {
		if o.name == name {
			return o
		}
	}
	return nil
}

func sign(t testing.TB, by signer, s v1alpha1.StatementSpec, err error) v1alpha1.StatementSpec {
	t.Helper()
	if err == nil {
		s, err = statement.Sign(by.key, by.chain, s, Content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// propose signs a proposal for the next position.
func (c *consortium) propose(t testing.TB, proposer string, change Change) v1alpha1.StatementSpec {
	t.Helper()
	s, err := NewProposal("trade", proposer, c.next(), Proposal{
		Charter: c.state.Charter, Position: c.state.Position + 1, Previous: c.state.Head, Expires: today.Add(time.Hour), Change: change,
	})
	return sign(t, c.organization(proposer).voter, s, err)
}

func (c *consortium) vote(t testing.TB, member string, proposal *v1alpha1.StatementSpec, answer Answer) v1alpha1.StatementSpec {
	t.Helper()
	s, err := NewVote("trade", member, c.next(), Vote{
		Position: c.state.Position + 1, Proposer: proposal.Member, Proposal: statement.Digest(proposal), Answer: answer,
	})
	return sign(t, c.organization(member).voter, s, err)
}

func (c *consortium) commit(t testing.TB, member string, number int64, proposal *v1alpha1.StatementSpec) v1alpha1.StatementSpec {
	t.Helper()
	s, err := NewBallot("trade", c.state.Position+1, c.next(), Ballot{Member: member, Phase: Commit, Number: number, Proposal: statement.Digest(proposal)})
	return sign(t, c.organization(member).agent, s, err)
}

// entry is a change with the votes and commits of these members.
func (c *consortium) entry(t testing.TB, change Change, members ...string) *Entry {
	t.Helper()
	e := &Entry{Proposal: c.propose(t, members[0], change)}
	for _, m := range members {
		e.Votes = append(e.Votes, c.vote(t, m, &e.Proposal, Approve))
		if c.state.Roots(m) != nil {
			e.Commits = append(e.Commits, c.commit(t, m, 0, &e.Proposal))
		}
	}
	return e
}

func (c *consortium) accept(t testing.TB, e *Entry) {
	t.Helper()
	next, err := c.state.Append(e, c.trust)
	if err != nil {
		t.Fatal(err)
	}
	c.state = next
}

// ignore is for audits of which only the outcome matters.
func ignore(*Entry) {}

var majority = Rules{AnyOther: {Approvals: Majority}}

func settlement(members ...string) Change {
	return Change{SetChannel: &Channel{Name: "settlement", Members: members, Orderers: members, Leader: members[0]}}
}

const image = "ghcr.io/hanse-io/contract-notary@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
