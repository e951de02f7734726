package v1alpha1

import (
	"strings"
	"testing"
)

func TestIsLabel(t *testing.T) {
	for _, row := range []struct {
		why, name string
		ok        bool
	}{
		{"a name", "org1", true},
		{"one letter", "a", true},
		{"hyphens inside", "first-ltd-2", true},
		{"as long as a label may be", strings.Repeat("a", 63), true},
		{"longer", strings.Repeat("a", 64), false},
		{"nothing", "", false},
		{"a digit first, which no Service's name may begin with", "1org", false},
		{"a hyphen first", "-a", false},
		{"a hyphen last", "a-", false},
		{"a dot, which makes two labels", "a.b", false},
		{"capitals", "aB", false},
		{"a slash inside", "a/b", false},
		{"a letter of another alphabet", "aäa", false},
		{"a NUL", "a\x00a", false},
	} {
		if IsLabel(row.name) != row.ok {
			t.Errorf("%s: %q is one: %v", row.why, row.name, !row.ok)
		}
	}
}
