package fabric

import (
	"net"
	"strconv"
	"strings"

	"github.com/hanse-io/hanse/api/v1alpha1"
	names "github.com/hanse-io/hanse/ledger/fabric/profile"
)

// MSPID is the name of a Member on the ledger: the one that was chosen for it, or else the usual one.
func MSPID(plan *v1alpha1.MemberPlan, member string) string { return plan.Spec.MSPID(member) }

// memberOfMSPID is the Member that has an MSP ID unless one was chosen for it: then the ID itself says more to people.
func memberOfMSPID(id string) string { return strings.TrimSuffix(id, v1alpha1.MSPID("")) }

// Names of a Member's own identities.

// AdminIdentity signs what binds the organization.
func AdminIdentity(member string) string { return names.AdminIdentity(member) }

// AdminTLSIdentity is the agent's client certificate at its own orderers' channel participation API, which takes
// certificates of that one's authority only.
func AdminTLSIdentity(member string) string { return names.AdminTLSIdentity(member) }

// UserIdentity is for the organization's applications.
func UserIdentity(member string) string { return names.UserIdentity(member) }

// MonitorTLSIdentity is the client certificate that a node's operations endpoint asks for.
func MonitorTLSIdentity(member string) string { return "monitor-" + member + "-tls" }

// contractTLS is the name of a contract's certificate. The dot is in the name of no other identity, so that no channel and
// contract can be named so that a contract gets somebody else's key.
func contractTLS(contract v1alpha1.PlanContract) string { return contractName(contract) + ".tls" }

func nodeIdentity(node string) string { return node + "-msp" }
func nodeTLS(node string) string      { return node + "-tls" }

// nodeAddress is where a node serves on one of its ports, under the name that it has in every cluster.
func nodeAddress(plan *v1alpha1.MemberPlan, node string, port int) string {
	return net.JoinHostPort(v1alpha1.NodeHost(node, plan.Spec.Consortium), strconv.Itoa(port))
}
