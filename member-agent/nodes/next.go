package nodes

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Node is how one node stands against what is wanted of it.
type Node struct {
	Name string
	Role v1alpha1.NodeRole
	// Wanted is the revision to run; Running the one that was applied last, empty if the node does not exist.
	Wanted, Running string
	// Ready says that the node runs what was applied last, and is ready.
	Ready bool
}

func (n Node) changed() bool { return n.Running != "" && n.Running != n.Wanted }

// Next says which nodes may be applied now. Those that do not exist yet and those that do not change all may. Of those
// that change, one may, and only while every other node is ready: of orderers each takes part in the quorum, and of
// peers the next one is not to follow the first into a change that breaks it. A node that is not ready goes first,
// and waits for nobody else that changes too, since the change may be what mends it.
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
		if i == 0 && free(n, nodes) {
			now = append(now, n.Name)
		} else {
			waiting = append(waiting, n.Name)
		}
	}
	return now, waiting
}

// free says whether nothing but n itself stands in the way of changing n.
func free(n Node, nodes []Node) bool {
	if !n.Ready {
		return true
	}
	return !slices.ContainsFunc(nodes, func(o Node) bool {
		return o.Name != n.Name && o.Running != "" && !o.Ready
	})
}

// stateOf compares a node's StatefulSet, nil if there is none, with what is wanted. held says that it is not to be
// applied in this turn.
func stateOf(set Set, current *appsv1.StatefulSet, held bool) Node {
	n := Node{Name: set.Name, Role: set.Workload.Node.Role, Wanted: set.Revision}
	if current != nil {
		n.Running = cmp.Or(current.Annotations[annotationRevision], "unknown")
		n.Ready = settled(current)
	}
	if held || set.Workload.Refused != "" {
		// It stays as it is, and keeps no other node's change waiting.
		n.Wanted = n.Running
	}
	return n
}

// settled says whether the StatefulSet's one pod runs what the StatefulSet says, and is ready. The controller moves
// CurrentRevision only then.
func settled(s *appsv1.StatefulSet) bool {
	return s.Status.ObservedGeneration >= s.Generation &&
		s.Status.ReadyReplicas >= 1 &&
		s.Status.CurrentRevision == s.Status.UpdateRevision
}
