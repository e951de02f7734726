package nodes

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func TestNext(t *testing.T) {
	orderer := func(name, running string, ready bool) Node {
		return Node{Name: name, Role: v1alpha1.RoleOrderer, Wanted: "new", Running: running, Ready: ready}
	}
	for _, row := range []struct {
		why          string
		nodes        []Node
		now, waiting []string
	}{
		{
			why:   "nodes that do not exist yet are all made at once: a quorum can only form together",
			nodes: []Node{orderer("a", "", false), orderer("b", "", false), orderer("c", "", false)},
			now:   []string{"a", "b", "c"},
		},
		{
			why:   "what does not change is applied, so that it is healed",
			nodes: []Node{orderer("a", "new", true), orderer("b", "new", false)},
			now:   []string{"a", "b"},
		},
		{
			why:     "of three that change one goes first",
			nodes:   []Node{orderer("a", "old", true), orderer("b", "old", true), orderer("c", "old", true)},
			now:     []string{"a"},
			waiting: []string{"b", "c"},
		},
		{
			why:     "the next one waits until the first is ready again",
			nodes:   []Node{orderer("a", "new", false), orderer("b", "old", true), orderer("c", "old", true)},
			now:     []string{"a"},
			waiting: []string{"b", "c"},
		},
		{
			why:     "a node that is not ready goes first, since the change may fix it",
			nodes:   []Node{orderer("a", "old", true), orderer("b", "old", false), orderer("c", "old", true)},
			now:     []string{"b"},
			waiting: []string{"a", "c"},
		},
		{
			why:     "two that are not ready are fixed one after the other, and do not wait for each other",
			nodes:   []Node{orderer("a", "new", false), orderer("b", "old", false), orderer("c", "old", true)},
			now:     []string{"a", "b"},
			waiting: []string{"c"},
		},
		{
			why:     "a node that is made anew does not keep the change of another waiting for ever",
			nodes:   []Node{orderer("a", "", false), orderer("b", "old", true)},
			now:     []string{"a", "b"},
			waiting: nil,
		},
		{
			why:   "no node at all",
			nodes: nil,
		},
	} {
		t.Run(row.why, func(t *testing.T) {
			now, waiting := Next(row.nodes)
			if diff := cmp.Diff(row.now, now); diff != "" {
				t.Errorf("now (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.waiting, waiting); diff != "" {
				t.Errorf("waiting (-want +got):\n%s", diff)
			}
		})
	}
}
