package apply

import (
	"reflect"
	"testing"
)

func TestCovers(t *testing.T) {
	type m = map[string]any
	for _, c := range []struct {
		why        string
		have, want any
		covers     bool
	}{
		{"the same", m{"a": "x"}, m{"a": "x"}, true},
		{"more than is wanted", m{"a": "x", "b": "y"}, m{"a": "x"}, true},
		{"less than is wanted", m{"a": "x"}, m{"a": "x", "b": "y"}, false},
		{"something else", m{"a": "y"}, m{"a": "x"}, false},
		{"deeper down, more than is wanted", m{"a": m{"b": "x", "c": "y"}}, m{"a": m{"b": "x"}}, true},
		{"deeper down, less than is wanted", m{"a": m{}}, m{"a": m{"b": "x"}}, false},
		{"nothing there, nothing wanted", m{}, m{"a": m{}}, true},
		{"a list that is longer is another list", m{"a": []any{"x", "y"}}, m{"a": []any{"x"}}, false},
		{"the same list", m{"a": []any{"x", "y"}}, m{"a": []any{"x", "y"}}, true},
	} {
		if got := covers(c.have, c.want); got != c.covers {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

func TestDropEmpty(t *testing.T) {
	type m = map[string]any
	for _, c := range []struct {
		why          string
		fields, want m
	}{
		{"set fields stay", m{"a": "x", "b": m{"c": "y"}}, m{"a": "x", "b": m{"c": "y"}}},
		{"an empty struct is removed", m{"a": "x", "b": m{}}, m{"a": "x"}},
		{"and so is one that holds nothing else", m{"a": "x", "b": m{"c": m{}}}, m{"a": "x"}},
		{"but not its siblings", m{"b": m{"c": m{}, "d": false}}, m{"b": m{"d": false}}},
		{"an empty list is a value", m{"a": []any{}}, m{"a": []any{}}},
		{"items of lists are left alone", m{"a": []any{m{"b": m{}}}}, m{"a": []any{m{"b": m{}}}}},
	} {
		if dropEmpty(c.fields); !reflect.DeepEqual(c.fields, c.want) {
			t.Errorf("%s: %v, want %v", c.why, c.fields, c.want)
		}
	}
}
