package watcher

import (
	"errors"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestNote: a step is one request's end: l a list, w a watch; capitals failed.
func TestNote(t *testing.T) {
	for _, c := range []struct {
		why, steps string
		news       bool // of the last step
		failing    bool
		started    bool
	}{
		{"a list alone is no watch", "l", false, false, false},
		{"the first watch is news", "lw", true, false, true},
		{"the next one is not", "lww", false, false, true},
		{"a failure is news", "L", true, true, false},
		{"the same again is not", "LL", false, true, false},
		{"another one is", "LW", true, true, false},
		{"a list does not end a watch's failure, or the two would take turns", "lWl", false, true, false},
		{"a watch does", "lWlw", true, false, true},
		{"what went on before has begun, and fails all the same", "lwW", true, true, true},
	} {
		var w watched
		var news bool
		for _, step := range c.steps {
			var err error
			switch step {
			case 'L':
				err = errors.New("may not list")
			case 'W':
				err = errors.New("may not watch")
			}
			news = w.note(err, step == 'w' || step == 'W')
		}
		if news != c.news || (w.failure() != nil) != c.failing || w.started != c.started {
			t.Errorf("%s (%s): news %v, failure %v, started %v", c.why, c.steps, news, w.failure(), w.started)
		}
	}
}

func TestSelected(t *testing.T) {
	raw := metav1.ListOptions{Limit: 7, Continue: "token", ResourceVersion: "42"}
	for _, c := range []struct {
		why, namespace, name, field string
	}{
		{"all of a kind", "", "", ""},
		{"one namespace's", "hanse-system", "", ""},
		{"one object, by its name, for which the right to that one suffices", "hanse-system", "trade", "metadata.name=trade"},
	} {
		r := &requests{source: Source{Namespace: c.namespace, Name: c.name}}
		got := r.selected(raw)
		field := ""
		if got.FieldSelector != nil {
			field = got.FieldSelector.String()
		}
		if got.Namespace != c.namespace || field != c.field || got.Limit != 7 || got.Continue != "token" || got.Raw.ResourceVersion != "42" {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}

func TestFailuresHaveAStableOrder(t *testing.T) {
	source := func(kind, namespace, name string) Source {
		return Source{Kind: schema.GroupVersionKind{Kind: kind}, Namespace: namespace, Name: name}
	}
	want := []Source{source("Line", "", ""), source("Plan", "a", "x"), source("Plan", "a", "y"), source("Plan", "b", "a")}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compare)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
