package nodes

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Node is a node's state and its desired revision.
type Node struct {
	Name string
	Role v1alpha1.NodeRole
	// Wanted is the revision to run; Running the one that was applied last, empty if the node does not exist.
	Wanted, Running string
	// Ready says that the node runs what was applied last, and is ready.
	Ready bool
}

func (n Node) changed() bool { return n.Running != "" && n.Running != n.Wanted }

// Next says which nodes may be applied now. New nodes and those without a change all may. Of those that change, one
// may, and only while every other node is ready: each orderer takes part in the quorum, and a change that breaks one
// peer must not reach the next. A node that is not ready goes first and does not wait for the others, since the change
// may fix it.
func Next(nodes []Node) (now, waiting []string) {
	var changed []Node
	for _, n := range nodes {
		if n.changed() {
			changed = append(changed, n)
		} else {
			now = append(now, n.Name)
		}
	}
	slices.SortStableFunc(changed, func(a, b Node) int {
		if a.Ready != b.Ready {
			if a.Ready {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	for i, n := range changed {
		if i == 0 && canRoll(n, nodes) {
			now = append(now, n.Name)
		} else {
			waiting = append(waiting, n.Name)
		}
	}
	return now, waiting
}

// canRoll says whether n is not ready itself, or all other nodes are.
func canRoll(n Node, nodes []Node) bool {
	if !n.Ready {
		return true
	}
	return !slices.ContainsFunc(nodes, func(o Node) bool {
		return o.Name != n.Name && o.Running != "" && !o.Ready
	})
}

// stateOf compares a node's StatefulSet, nil if there is none, with the desired one. blocked says that it is not applied
// in this reconciliation.
func stateOf(set Set, current *appsv1.StatefulSet, blocked bool) Node {
	n := Node{Name: set.Name, Role: set.Workload.Node.Role, Wanted: set.Revision}
	if current != nil {
		n.Running = cmp.Or(current.Annotations[annotationRevision], "unknown")
		n.Ready = isStable(current)
	}
	if blocked || set.Workload.Refused != "" {
		// It stays as it is and blocks no other node's change.
		n.Wanted = n.Running
	}
	return n
}

// isStable says whether the StatefulSet's one pod runs what the StatefulSet says, and is ready. The controller moves
// CurrentRevision only then.
func isStable(s *appsv1.StatefulSet) bool {
	return s.Status.ObservedGeneration >= s.Generation &&
		s.Status.ReadyReplicas >= 1 &&
		s.Status.CurrentRevision == s.Status.UpdateRevision
}
