// Package nodes runs a plan's workloads in the organization's cluster: it builds the desired objects from the ledger
// driver's workloads, rolls at most one running node at a time, and diagnoses why a node is not ready. The desired
// objects, the order of changes and the diagnosis are pure functions; a thin phase applies them.
//
// Volumes outlive nodes unless the plan says otherwise, and nothing is removed unless the plan is retired.
// It must know nothing of any one ledger, of the host, nor of how certificates are issued.
package nodes
