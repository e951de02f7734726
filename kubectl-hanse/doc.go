// Package kubectlhanse is the wing of the people: what `kubectl hanse` does, one room a subcommand.
//
//	invite       on the host: declares a Member and prints the helm command that its organization runs
//	status       on the host: a live tree of a Consortium: members, nodes, lines, channels, contracts;
//	             in an organization's cluster: that organization's own part, as its agent says it
//	profile      in an organization's cluster: a connection profile for applications, from what its agent has verified
//	env          in an organization's cluster: files and environment for applications and the ledger's own command line
//	invoke       in an organization's cluster: submits a transaction, or evaluates one with --query
//
// It talks to one cluster at a time, the one of the kubeconfig's current context, with that person's own rights. It
// must not import the host's wing nor the agent's.
package kubectlhanse
