package v1alpha1

// Ports that are the same in every cluster, so that a node has one address everywhere.
const (
	// PortPeer is where a peer listens.
	PortPeer = 7051
	// PortOrderer is where an orderer listens.
	PortOrderer = 7050
	// PortOrdererAdmin is where an orderer's channel participation API listens, to its own organization only.
	PortOrdererAdmin = 7053
	// PortPeerOperations and PortOrdererOperations serve health and metrics.
	PortPeerOperations    = 9443
	PortOrdererOperations = 8443
	// PortContract is where a contract serves its organization's peers.
	PortContract = 9999
	// PortLine is the one port of a gateway that faces the lines.
	PortLine = 7443
	// PortGatewayInside is the port of a gateway that faces its own cluster.
	PortGatewayInside = 8443
	// PortGossip is where an agent takes gossip from its gateway.
	PortGossip = 7946
)

// Names under which an organization's agent and gateway are known on the lines. They are SNI names and certificate
// names, and are not in DNS.

// AgentServerName is the TLS name of a Member's agent.
func AgentServerName(member string) string { return "agent." + member + ".hanse" }

// VoterServerName is the name in the certificates with which a Member's people, or the policy that they have set, sign charters,
// proposals and votes. The agent's own key, which is renewed without anybody, signs none of these.
func VoterServerName(member string) string { return "voter." + member + ".hanse" }

// GatewayServerName is the TLS name of a Member's gateway.
func GatewayServerName(member string) string { return "gateway." + member + ".hanse" }

// NodeHost is the one name of a ledger node, in every cluster: its Service and namespace, and its SNI.
func NodeHost(node, consortium string) string {
	return node + "." + ConsortiumNamespace(consortium)
}
