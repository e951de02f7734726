package apply

import "testing"

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
