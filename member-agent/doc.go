// Package memberagent is the organization's component of Hanse: what runs in each organization's own cluster.
//
// # Two processes
//
// `member-agent run` is the agent. It registers at the host, mirrors the plans that the host has for its organization
// into its own cluster, and reconciles the mirrors:
//
//	host        registers, mirrors plans, reports status, renews the Lease      the only package that knows the host
//	reconcile   runs the phases on each mirrored plan and aggregates them into one status
//	  identity    has the organization's certificates issued by cert-manager
//	  nodes       runs the ledger's nodes and contracts
//	  signature   signs the organization's record, verifies the others', pins their roots
//	  discovery   gossips the records with the other organizations' agents
//	  ledger      channels and contracts, through a driver; ledger/fabric is the first
//	  policy      which images the organization allows, whatever a plan says
//	networks    finds the own cluster's networks
//	line        computes the routes of the organization's gateway
//
// The gateway, package gateway, is a program of its own. The two share nothing but ConfigMaps, which package routing
// describes: the agent writes hanse-routes, the gateway writes hanse-lines. Each works without the other.
//
// # What is kept where
//
// In the agent's namespace: Secrets hanse-bootstrap (the invitation), hanse-host-credential (the agent's key on the
// host), hanse-root, hanse-agent and hanse-gateway (the organization's own certificates), ConfigMaps hanse-member (whose
// cluster this is) and hanse-pins (the other members' pinned roots), and one MemberPlan, the mirror, for each consortium.
// In each consortium's namespace: its authorities, certificates, nodes and volumes, ConfigMap connection.hanse.io, by
// which applications connect, and a ConfigMap first-block.CHANNEL for each channel (package genesis), which is deleted
// when the consortium is retired. The agent has no other state.
//
// # When something fails
//
//   - The host is unreachable: the agent continues from the mirrors, after a restart too, and retries the connection for
//     ever. Status is reported once the host is back. Only new plans have to wait.
//   - The host is unreachable for longer than the agent's credential is valid: the organization has to be invited again.
//     Running workloads are not affected.
//   - The host loses a plan, or a person deletes it there: nothing happens here. Only a plan with retire removes
//     anything, and volumes are retained unless they were created with reclaim policy Delete.
//   - The host floods the agent: a plan is validated, and checked against the organization's own limits, before it is
//     mirrored; of the host's data only names are cached, and no answer is read beyond a few megabytes.
//   - Somebody else uses the agent's credential on the host: event, metric and condition, there and here.
//   - The host is malicious: a plan for another member, or for a namespace that is not its consortium's, is rejected; a
//     member's root other than the pinned one is not trusted, and the pinned one is kept; an image that the organization
//     does not allow is not run; a channel's first block is checked against the plan and the signed records, and no node
//     joins before all members have signed for the same one; a channel's members and rules are those of its first block.
//   - cert-manager is missing or unavailable: issued certificates stay in use and nodes are healed; new ones wait.
//   - The agent is down: nodes, lines and the ledger continue; nothing is healed, and routes are not updated until it is
//     back. With several replicas another takes over within seconds.
//   - The gateway is down: the own nodes reach each other; the ledger waits for the lines.
//   - A certificate is renewed: its node is restarted, one at a time, with the same key.
//   - The own API server is down: workloads continue; the agent waits.
package memberagent
