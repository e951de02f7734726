package fabric

import (
	"net"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// Identities lists, for every node, an identity and a TLS certificate; and for the organization an admin, that admin's
// TLS client certificate, and a user for its applications. An application gets no TLS client certificate: no node asks
// it for one.
func (e *Engine) Identities(plan *v1alpha1.MemberPlan) []ledger.Identity {
	var identities []ledger.Identity
	for _, node := range plan.Spec.Nodes {
		identities = append(identities, nodeMSP(node), e.nodeTLS(plan, node))
	}
	member := plan.Spec.Member
	return append(identities,
		ledger.Identity{
			Name: AdminIdentity(member), Authority: ledger.IdentityAuthority,
			CommonName: AdminIdentity(member), OrganizationalUnits: []string{"admin"},
		},
		ledger.Identity{
			Name: AdminTLSIdentity(member), Authority: ledger.OperatorAuthority,
			CommonName: AdminTLSIdentity(member), Client: true,
		},
		ledger.Identity{
			Name: UserIdentity(member), Authority: ledger.IdentityAuthority,
			CommonName: UserIdentity(member), OrganizationalUnits: []string{"client"},
		},
	)
}

func nodeMSP(node v1alpha1.PlanNode) ledger.Identity {
	unit := "peer"
	if node.Role == v1alpha1.RoleOrderer {
		unit = "orderer"
	}
	return ledger.Identity{
		Name: nodeIdentity(node.Name), Authority: ledger.IdentityAuthority, Node: node.Name,
		// A node's full name can be longer than the 64 characters that X.509 allows here.
		CommonName: node.Name, OrganizationalUnits: []string{unit},
	}
}

// nodeTLS serves and dials: peers and orderers use one certificate for both.
func (e *Engine) nodeTLS(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode) ledger.Identity {
	host := v1alpha1.NodeHost(node.Name, plan.Spec.Consortium)
	identity := ledger.Identity{
		Name: nodeTLS(node.Name), Authority: ledger.TLSAuthority, Node: node.Name,
		CommonName: node.Name, Server: true, Client: true,
		DNSNames: []string{host, node.Name, host + ".svc", host + ".svc." + e.clusterDomain, "localhost"},
		// The others know a consenter by this certificate.
		Publish: node.Role == v1alpha1.RoleOrderer,
	}
	for _, name := range node.ExtraSANs {
		if net.ParseIP(name) != nil {
			identity.IPAddresses = append(identity.IPAddresses, name)
		} else {
			identity.DNSNames = append(identity.DNSNames, name)
		}
	}
	return identity
}
