// Package reconcile reconciles the mirrored plans: it runs the phases on each plan in order, aggregates their results
// into conditions and writes one status. It also reconciles what belongs to the organization as a whole: its root, its
// gossip groups, its gateway's routes and the facts that are reported to the host.
//
// Reconciliation is level-triggered: each run starts from the state of the cluster. A phase that waits blocks only the
// phases that depend on it, and one plan never blocks another: calls to the ledger may take long and have a worker for
// each plan.
//
// It must know nothing of the host: it works on the mirrors only. It declares the small interfaces that it needs of
// discovery, lines and ledger; cmd wires them.
package reconcile
