// Package memberagent is the organization's wing of Hanse: what runs in each organization's own cluster.
//
// # Two processes
//
// `member-agent run` is the agent. It registers at the host, mirrors the plans that the host has for its organization
// into its own cluster, and carries out the mirrors:
//
//	host        registers, mirrors plans down, reports status up, renews the Lease       the only room that knows the host
//	lifecycle   runs the phases on each mirrored plan and folds them into one status
//	  identity    has the organization's certificates issued by cert-manager
//	  nodes       runs the ledger's nodes and contracts
//	  signature   signs the organization's record, checks the others', pins their roots
//	  discovery   gossips the records with the other organizations' agents
//	  ledger      channels and contracts, through an engine; ledger/fabric is the first
//	  policy      which images the organization lets run, whatever a plan says
//	networks    finds out which addresses are the own cluster's
//	apply       writes desired objects, once
//
// `member-agent gateway` is the router at the organization's line ends, package line. The two share nothing but
// ConfigMaps: the agent writes hanse-routes, the gateway writes hanse-lines. Each goes on without the other.
//
// # What is kept where
//
// In the agent's namespace: Secret hanse-bootstrap (the invitation), hanse-host-credential (the agent's key on the
// host), ConfigMap hanse-member (whose cluster this is), hanse-root, hanse-agent and hanse-gateway (the organization's own certificates), ConfigMap hanse-pins (the
// other members' roots as they were first seen), and one MemberPlan, the mirror, for each consortium. In each
// consortium's namespace: its authorities, certificates, nodes and volumes, ConfigMap connection.hanse.io, by which
// applications connect, and a ConfigMap first-block.CHANNEL for each channel (package genesis), which goes when the
// consortium is taken down. The agent itself keeps nothing that cannot
// be read again from there.
//
// # When something fails
//
//   - The host is out of reach: everything goes on from the mirrors, across the agent's own restart too; the connection
//     is tried for ever. Status is reported once the host is back. Only a new plan has to wait.
//   - The host is out of reach for longer than the agent's credential lives: the organization has to be invited again.
//     Nothing that runs is touched.
//   - The host loses a plan, or a person deletes it there: nothing happens here. Only a plan that says retire takes
//     anything down, and volumes stay unless they were to be deleted with their nodes.
//   - The host floods the agent: a plan is checked, and measured against the organization's own limits, before it is
//     mirrored; nothing of the host's is kept in memory but names, and no answer is read beyond a few megabytes.
//   - Somebody else uses the agent's credential on the host: event, metric and condition, there and here.
//   - The host lies: a plan for another member, or for a namespace that is not its consortium's, is refused; a member's
//     root other than the pinned one is not trusted, and the pinned one goes on to hold; an image that the organization
//     does not allow is not run; a channel's first block is checked against the plan and the signed records, and no node
//     joins before all members have signed for the same one; a channel's members and rules are those of its first block.
//   - cert-manager is missing or away: what was issued goes on to hold and nodes are healed; new certificates wait.
//   - The agent is down: nodes, lines and the ledger go on; nothing is healed or renewed in the cluster's own routing
//     until it is back. With several replicas another takes over within seconds.
//   - The gateway is down: own nodes go on among themselves; the ledger waits for the lines.
//   - A certificate is renewed: its node is restarted, one at a time, with the key that it had.
//   - The own API server is down: what runs goes on to run; the agent waits.
package memberagent
