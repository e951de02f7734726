// Package kubectlhanse is the kubectl plugin: one package for each subcommand of `kubectl hanse`.
//
//	invite       on the host: declares a Member and prints the helm command that its organization runs
//	status       on the host: a live tree of a Consortium: members, nodes, lines, channels, contracts;
//	             in an organization's cluster: that organization's own part, as its agent reports it
//	profile      in an organization's cluster: a connection profile for applications, from what its agent has verified
//	env          in an organization's cluster: files and environment for applications and the ledger's own command line
//	invoke       in an organization's cluster: submits a transaction, or evaluates one with --query
//	audit        without any cluster: verifies a governance log from a file
//	check        on any cluster: whether Hanse can be installed (--pre), or what is wrong with what is installed
//	gather       on any cluster: a support bundle without secrets
//	version      the versions of plugin, controller and agents, and whether they go together
//
// It talks to one cluster at a time, the one that kubectl's flags choose, with that user's own rights. Packages
// beside these serve several of them: exit codes, output for programs, completion, connections. It imports
// neither federation nor member-agent.
package kubectlhanse
