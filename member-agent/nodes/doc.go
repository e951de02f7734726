// Package nodes runs what a plan asks for in the organization's cluster: from the ledger engine's workloads it makes
// the desired objects, changes at most one running node at a time, and says in a sentence what a node that is not
// ready waits for. The desired objects, the order of changes and the diagnosis are pure functions; a thin phase
// applies them.
//
// Volumes outlive nodes unless the plan says otherwise, and nothing is taken down but on the plan's explicit word.
// It must know nothing of any one ledger, of the host, nor of how certificates are issued.
package nodes
