// Package lifecycle carries the mirrored plans out: it runs the phases on each plan in their order, folds what they say
// into conditions, and writes one status. Beside the plans it looks after what belongs to the organization as a whole:
// its root, its gossip rings, its gateway's routes, and what the host is told about it.
//
// Everything here is level-triggered: each turn starts from what the cluster holds. A phase that waits does not keep
// the ones from working that do not need it, and one plan never keeps another: calls to the ledger, which may take
// long, have a worker of their own for each plan.
//
// It must know nothing of the host: the mirrors are all that it goes by. It declares the small interfaces that it
// needs of discovery, lines and ledger; cmd wires them.
package lifecycle
