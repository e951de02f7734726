package fabric

import (
	"fmt"
	"net"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// Identities lists, for every node, an identity and a TLS certificate; for every contract a TLS certificate; and for the
// organization an admin, that admin's TLS client certificate, a user for its applications, and a TLS client certificate for
// what scrapes its nodes' metrics. An application gets no TLS client certificate: no node asks it for one.
func (d *Driver) Identities(plan *v1alpha1.MemberPlan) []ledger.Identity {
	var identities []ledger.Identity
	for _, node := range plan.Spec.Nodes {
		identities = append(identities, nodeMSP(node), d.nodeTLS(plan, node))
	}
	for _, contract := range ownContracts(plan) {
		if contract.TLS {
			identities = append(identities, d.contractTLS(plan, contract))
		}
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
		ledger.Identity{
			Name: MonitorTLSIdentity(member), Authority: ledger.TLSAuthority,
			CommonName: MonitorTLSIdentity(member), Client: true, Optional: true, Deferred: true,
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
func (d *Driver) nodeTLS(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode) ledger.Identity {
	host := v1alpha1.NodeHost(node.Name, plan.Spec.Consortium)
	identity := ledger.Identity{
		Name: nodeTLS(node.Name), Authority: ledger.TLSAuthority, Node: node.Name,
		CommonName: node.Name, Server: true, Client: true,
		DNSNames: []string{host, node.Name, host + ".svc", host + ".svc." + d.clusterDomain, "localhost"},
		// The others know a consenter by this certificate.
		Publish: node.Role == v1alpha1.RoleOrderer,
	}
	for _, name := range node.ExtraSANs {
		switch {
		case !d.allowsName(name):
			// The workload says so; see notAllowed.
		case net.ParseIP(name) != nil:
			identity.IPAddresses = append(identity.IPAddresses, name)
		default:
			identity.DNSNames = append(identity.DNSNames, name)
		}
	}
	return identity
}

// notAllowed says which names of a node the organization does not certify, and how to fix that; empty if there is none.
func (d *Driver) notAllowed(plan *v1alpha1.MemberPlan, node v1alpha1.PlanNode) string {
	var names []string
	for _, name := range node.ExtraSANs {
		if !d.allowsName(name) {
			names = append(names, fmt.Sprintf("%.64q", name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%s does not certify %s: add it to policy.extraSANs of the member-agent chart, or take it out of the Consortium's extraSANs",
		plan.Spec.Member, strings.Join(names[:min(len(names), 4)], ", "))
}

// contractTLS proves a contract to the organization's own peers, which dial it by its Service.
func (d *Driver) contractTLS(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) ledger.Identity {
	name := contractName(contract)
	host := v1alpha1.NodeHost(name, plan.Spec.Consortium)
	return ledger.Identity{
		Name: contractTLS(contract), Authority: ledger.TLSAuthority, Optional: true,
		CommonName: name, Server: true, DNSNames: []string{host, name, host + ".svc", host + ".svc." + d.clusterDomain},
	}
}
