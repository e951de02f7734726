package plan

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDisallowedImages(t *testing.T) {
	all := []string{"peer0-a p2", "peer0-b p2", "peer0-c p2"}
	for _, c := range []struct {
		why          string
		run          func(*rolloutFixture)
		changes      []string
		disallowedBy string // Members that do not allow an image, at the end
		says         string // the rollout's message, at the end
	}{
		{"one organization does not allow it: nothing is changed", func(w *rolloutFixture) {
			w.disallowed["c p2"] = true
			w.declare("p2", "o1")
		}, nil, "c", "does not allow p2"},
		{"every organization that does not allow it is named", func(w *rolloutFixture) {
			w.disallowed["a p2"], w.disallowed["c p2"] = true, true
			w.declare("p2", "o1")
		}, nil, "a c", "does not allow p2"},
		{"it does not fail after the deadline", func(w *rolloutFixture) {
			w.disallowed["c p2"] = true
			w.declare("p2", "o1")
			w.runUntilStable()
			w.now = w.now.Add(time.Hour)
		}, nil, "c", "does not allow p2"},
		{"it continues once the organization allows the image", func(w *rolloutFixture) {
			w.disallowed["c p2"] = true
			w.declare("p2", "o1")
			w.runUntilStable()
			delete(w.disallowed, "c p2")
			w.report()
		}, all, "", ""},
		{"it ends when the old image is declared again", func(w *rolloutFixture) {
			w.disallowed["a p2"] = true
			w.declare("p2", "o1")
			w.runUntilStable()
			w.declare("p1", "o1")
		}, nil, "", ""},
		{"an orderer's image that is not allowed blocks the peers' rollout", func(w *rolloutFixture) {
			w.disallowed["b o2"] = true
			w.declare("p2", "o2")
		}, nil, "b", "does not allow"},
		{"no longer allowed once the node has been chosen: the node keeps its image, and its deadline does not start", func(w *rolloutFixture) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.disallowed["a p2"] = true
			w.runUntilStable()
			w.now = w.now.Add(time.Hour)
		}, all[:1], "a", "a does not allow p2"},
		{"and allowed again: its deadline starts, and the others follow", func(w *rolloutFixture) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.disallowed["a p2"] = true
			w.runUntilStable()
			w.now = w.now.Add(time.Hour)
			delete(w.disallowed, "a p2")
		}, all, "", ""},
		{"and the old image declared again: its plan has the old image again", func(w *rolloutFixture) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.disallowed["a p2"] = true
			w.runUntilStable()
			w.declare("p1", "o1")
		}, []string{"peer0-a p2", "peer0-a p1"}, "", ""},
		{"not allowed by another organization while a node is changed: that node is completed, and no other started", func(w *rolloutFixture) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.disallowed["c p2"] = true
		}, all[:1], "c", "does not allow p2"},
		{"no longer allowed when the new image runs already and is broken: it is rolled back", func(w *rolloutFixture) {
			w.broken["p2"] = true
			w.declare("p2", "o1")
			w.step()
			w.disallowed["a p2"] = true
			w.report()
			w.now = w.now.Add(time.Hour)
		}, []string{"peer0-a p2", "peer0-a p1"}, "a", "a does not allow p2"},
		{"an organization that no longer allows the old image gets the new one", func(w *rolloutFixture) {
			w.disallowed["b p1"] = true
			w.report()
			w.declare("p2", "o1")
		}, all, "", ""},
		{"an organization that has not observed the plan is waited for", func(w *rolloutFixture) {
			w.unresponsive["c"] = true
			w.declare("p2", "o1")
		}, nil, "", "c has not processed the plan"},
		{"one that is not online is not waited for", func(w *rolloutFixture) {
			w.disallowed["c o2"] = true
			w.online("c", false)
			w.declare("p1", "o2")
		}, nil, "", "too few orderers"},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := threeMembers(t)
			c.run(w)
			w.runUntilStable()
			if !slices.Equal(w.changes, c.changes) {
				t.Errorf("changed %q, want %q", w.changes, c.changes)
			}
			var refuses []string
			for _, r := range DisallowedImages(w.in) {
				refuses = append(refuses, r.Member)
			}
			if got := strings.Join(refuses, " "); got != c.disallowedBy {
				t.Errorf("not allowed by %q, want %q", got, c.disallowedBy)
			}
			said := ""
			if r := w.in.Consortium.Status.Rollout; r != nil {
				said = r.Message
			}
			if !strings.Contains(said, c.says) || (c.says == "") != (said == "") {
				t.Errorf("says %q, want %q", said, c.says)
			}
		})
	}
}
