package fabrictest

import (
	"context"
	"fmt"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
	"github.com/hanse-io/hanse/ledger/fabric"
)

// Member is one organization: its plan, what it was issued, and what it publishes.
type Member struct {
	Plan   *v1alpha1.MemberPlan
	Record v1alpha1.Record

	number      int
	identities  map[string]ledger.KeyPair
	authorities map[ledger.Authority]*Authority
}

// Keys hands out the Member's identities.
func (m *Member) Keys(_ context.Context, name string) (ledger.KeyPair, error) {
	pair, found := m.identities[name]
	if !found {
		return ledger.KeyPair{}, fmt.Errorf("%s has no identity %s", m.Plan.Spec.Member, name)
	}
	return pair, nil
}

// Shape is what an organization runs.
type Shape struct {
	Name            string
	Peers, Orderers int
}

// Even are organizations that all run the same.
func Even(peers, orderers int, names ...string) []Shape {
	var shapes []Shape
	for _, name := range names {
		shapes = append(shapes, Shape{Name: name, Peers: peers, Orderers: orderers})
	}
	return shapes
}

// NewMembers gives organizations plans that are alike but for whose they are, and everything that their driver asks for.
// The first one leads.
func NewMembers(consortium string, shapes ...Shape) ([]*Member, error) {
	var members []*Member
	everybody := planMembers(shapes)
	for i, shape := range shapes {
		plan := &v1alpha1.MemberPlan{}
		plan.Name = consortium
		plan.Spec = v1alpha1.MemberPlanSpec{
			Member: shape.Name, Consortium: consortium, ConsortiumNamespace: "default",
			Namespace: v1alpha1.ConsortiumNamespace(consortium),
			Ledger:    v1alpha1.LedgerSpec{Type: v1alpha1.LedgerFabric},
			Members:   everybody,
		}
		for _, node := range everybody[i].Nodes {
			plan.Spec.Nodes = append(plan.Spec.Nodes, v1alpha1.PlanNode{Name: node.Name, Role: node.Role})
		}
		member := &Member{Plan: plan, number: i + 1, identities: map[string]ledger.KeyPair{}}
		if err := member.issue(); err != nil {
			return nil, err
		}
		members = append(members, member)
	}
	return members, nil
}

func planMembers(shapes []Shape) []v1alpha1.PlanMember {
	var members []v1alpha1.PlanMember
	for i, shape := range shapes {
		member := v1alpha1.PlanMember{Name: shape.Name, Role: v1alpha1.RoleParticipant}
		if i == 0 {
			member.Role = v1alpha1.RoleLeader
		}
		for n := range shape.Orderers {
			member.Nodes = append(member.Nodes, v1alpha1.PlanMemberNode{
				Name: fmt.Sprintf("orderer%d-%s", n, shape.Name), Role: v1alpha1.RoleOrderer, Port: v1alpha1.PortOrderer,
			})
		}
		for n := range shape.Peers {
			member.Nodes = append(member.Nodes, v1alpha1.PlanMemberNode{
				Name: fmt.Sprintf("peer%d-%s", n, shape.Name), Role: v1alpha1.RolePeer, Port: v1alpha1.PortPeer,
			})
		}
		members = append(members, member)
	}
	return members
}

// issue makes the organization's CAs, what the driver asks of them, and the record that follows from it.
func (m *Member) issue() error {
	m.authorities = map[ledger.Authority]*Authority{}
	for _, kind := range []ledger.Authority{ledger.IdentityAuthority, ledger.TLSAuthority, ledger.OperatorAuthority} {
		commonName, _ := ledger.AuthoritySubject(kind, m.Plan.Spec.Consortium, m.Plan.Spec.Member)
		authority, err := NewAuthority(commonName)
		if err != nil {
			return err
		}
		m.authorities[kind] = authority
	}
	if err := m.issueMissing(); err != nil {
		return err
	}
	m.publish()
	return nil
}

// issueMissing issues what the driver asks for since the plan has grown, such as a contract's certificate.
func (m *Member) issueMissing() error {
	for _, identity := range fabric.New(fabric.Options{}).Identities(m.Plan) {
		if _, there := m.identities[identity.Name]; there {
			continue
		}
		pair, err := m.authorities[identity.Authority].Issue(identity)
		if err != nil {
			return fmt.Errorf("%s: %w", identity.Name, err)
		}
		m.identities[identity.Name] = pair
	}
	return nil
}

// Roots are those of the Member's own authorities, in PEM.
func (m *Member) Roots() map[ledger.Authority][]string {
	roots := map[ledger.Authority][]string{}
	for kind, authority := range m.authorities {
		roots[kind] = []string{string(authority.PEM)}
	}
	return roots
}

// Renew issues a certificate anew for the key that it has, and publishes it. A node takes it up as it starts again.
func (m *Member) Renew(name string) error {
	for _, identity := range fabric.New(fabric.Options{}).Identities(m.Plan) {
		if identity.Name != name {
			continue
		}
		pair, err := m.authorities[identity.Authority].Renew(identity, m.identities[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.identities[name] = pair
		m.publish()
		return nil
	}
	return fmt.Errorf("%s has no identity %s", m.Plan.Spec.Member, name)
}

// publish writes the Member's record.
func (m *Member) publish() {
	published := map[string]string{}
	for _, identity := range fabric.New(fabric.Options{}).Identities(m.Plan) {
		if identity.Publish {
			published[identity.Node] = string(m.identities[identity.Name].Certificate)
		}
	}
	record := v1alpha1.Record{
		Member: m.Plan.Spec.Member, Consortium: m.Plan.Spec.Consortium, Sequence: m.Record.Sequence + 1,
		IdentityRoots: []string{string(m.authorities[ledger.IdentityAuthority].PEM)},
		TLSRoots:      []string{string(m.authorities[ledger.TLSAuthority].PEM)},
	}
	for _, node := range m.Plan.Spec.Nodes {
		port := int32(v1alpha1.PortPeer)
		if node.Role == v1alpha1.RoleOrderer {
			port = v1alpha1.PortOrderer
		}
		record.Nodes = append(record.Nodes, v1alpha1.RecordNode{
			Name: node.Name, Role: node.Role, Port: port, TLSCertificate: published[node.Name],
		})
	}
	record.Channels = m.Record.Channels
	m.Record = record
}

// Records are what everybody publishes.
func Records(members []*Member) map[string]v1alpha1.Record {
	records := map[string]v1alpha1.Record{}
	for _, member := range members {
		records[member.Plan.Spec.Member] = member.Record
	}
	return records
}
