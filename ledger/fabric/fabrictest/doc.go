// Package fabrictest runs the workloads of package fabric as processes on loopback: real peers, orderers and contracts of
// several organizations, each started from the very pod that a cluster would run, with certificates as cert-manager
// would issue them. Every node has a loopback address and its real ports; it finds the others by the names that they
// have in a cluster, through a hosts file that its mount namespace holds.
//
// It is for tests and benchmarks. It must know nothing of an agent and its phases, nor of any cluster.
package fabrictest
