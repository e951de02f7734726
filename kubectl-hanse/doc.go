// Package kubectlhanse is the wing of the people: what `kubectl hanse` does, one room a subcommand.
//
//	invite       on the host: declares a Member and prints the helm command that its organization runs
//	status       on the host: a live tree of a Consortium: members, nodes, lines, channels, contracts
//	profile      on the host: a connection profile for applications, of public material only
//	env          in an organization's cluster: the environment and files that the ledger's own command line needs
//	invoke       in an organization's cluster: submits a transaction, or evaluates one with --query
//
// It talks to one cluster at a time, the one of the kubeconfig's current context, with that person's own rights. It
// must not import the host's wing nor the agent's.
package kubectlhanse
