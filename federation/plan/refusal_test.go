package plan

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRefusedImages(t *testing.T) {
	all := []string{"peer0-a p2", "peer0-b p2", "peer0-c p2"}
	for _, c := range []struct {
		why     string
		run     func(*rollworld)
		changes []string
		refuses string // those who refuse, at the end
		says    string // what the rollout waits for, at the end
	}{
		{"one organization refuses: nothing is changed anywhere", func(w *rollworld) {
			w.refused["c p2"] = true
			w.declare("p2", "o1")
		}, nil, "c", "does not allow p2"},
		{"whoever refuses is named", func(w *rollworld) {
			w.refused["a p2"], w.refused["c p2"] = true, true
			w.declare("p2", "o1")
		}, nil, "a c", "does not allow p2"},
		{"time makes no failure of a refusal", func(w *rollworld) {
			w.refused["c p2"] = true
			w.declare("p2", "o1")
			w.settle()
			w.now = w.now.Add(time.Hour)
		}, nil, "c", "does not allow p2"},
		{"it goes on by itself once the organization allows the image", func(w *rollworld) {
			w.refused["c p2"] = true
			w.declare("p2", "o1")
			w.settle()
			delete(w.refused, "c p2")
			w.report()
		}, all, "", ""},
		{"it ends when the old image is declared again", func(w *rollworld) {
			w.refused["a p2"] = true
			w.declare("p2", "o1")
			w.settle()
			w.declare("p1", "o1")
		}, nil, "", ""},
		{"an orderer's image that is refused keeps the peers' from being rolled out", func(w *rollworld) {
			w.refused["b o2"] = true
			w.declare("p2", "o2")
		}, nil, "b", "does not allow"},
		{"refused when the node's turn has come already: the node goes on as it was, and its time does not run", func(w *rollworld) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.refused["a p2"] = true
			w.settle()
			w.now = w.now.Add(time.Hour)
		}, all[:1], "a", "a does not allow p2"},
		{"and allowed again: its time begins, and the others follow", func(w *rollworld) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.refused["a p2"] = true
			w.settle()
			w.now = w.now.Add(time.Hour)
			delete(w.refused, "a p2")
		}, all, "", ""},
		{"and the old image declared again: it is given back what it never lost", func(w *rollworld) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.refused["a p2"] = true
			w.settle()
			w.declare("p1", "o1")
		}, []string{"peer0-a p2", "peer0-a p1"}, "", ""},
		{"refused by another organization while a node is changed: that one is ended, and no other begun", func(w *rollworld) {
			w.declare("p2", "o1")
			w.decide()
			w.plan()
			w.refused["c p2"] = true
		}, all[:1], "c", "does not allow p2"},
		{"refused only when the new image already runs, and does not work: it goes back all the same", func(w *rollworld) {
			w.broken["p2"] = true
			w.declare("p2", "o1")
			w.turn()
			w.refused["a p2"] = true
			w.report()
			w.now = w.now.Add(time.Hour)
		}, []string{"peer0-a p2", "peer0-a p1"}, "a", "a does not allow p2"},
		{"an organization that has ceased to allow the old image is given the new one", func(w *rollworld) {
			w.refused["b p1"] = true
			w.report()
			w.declare("p2", "o1")
		}, all, "", ""},
		{"an organization that has not taken up the plan may refuse yet", func(w *rollworld) {
			w.deaf["c"] = true
			w.declare("p2", "o1")
		}, nil, "", "c has not taken up the plan"},
		{"one that is away is not asked", func(w *rollworld) {
			w.refused["c o2"] = true
			w.online("c", false)
			w.declare("p1", "o2")
		}, nil, "", "too few orderers"},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := three(t)
			c.run(w)
			w.settle()
			if !slices.Equal(w.changes, c.changes) {
				t.Errorf("changed %q, want %q", w.changes, c.changes)
			}
			var refuse []string
			for _, r := range Refusals(w.in) {
				refuse = append(refuse, r.Member)
			}
			if got := strings.Join(refuse, " "); got != c.refuses {
				t.Errorf("refused by %q, want %q", got, c.refuses)
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
