package key_test

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/contracts/key"
	"github.com/hanse-io/hanse/contracts/refusal"
)

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		why, name string
		ok        bool
	}{
		{"a path is a fine id", "org1/invoices/2026-0001", true},
		{"every allowed character", "aZ9._:/@+=-", true},
		{"the longest name", strings.Repeat("a", key.MaxLength), true},
		{"one more is too long", strings.Repeat("a", key.MaxLength+1), false},
		{"empty names nothing", "", false},
		{"a leading dash looks like a flag", "-rf", false},
		{"a leading slash would sort before all others", "/a", false},
		{"a space is easily lost", "a b", false},
		{"a null character separates composite keys", "a\x00b", false},
		{"a look-alike letter is another name to a machine only", "аdmin", false},
		{"invalid UTF-8 is no state key", "a\xff", false},
	} {
		t.Run(row.why, func(t *testing.T) {
			err := key.Check("id", row.name)
			if (err == nil) != row.ok || err != nil && !refusal.Invalid.Is(err) {
				t.Errorf("%q: got %v", row.name, err)
			}
		})
	}
}

// FuzzOf holds that two different lists of names never share a state key.
func FuzzOf(f *testing.F) {
	f.Add("a", "b", "ab", "")
	f.Add("a:1", "1", "a", "1:1")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		for _, name := range []string{a, b, c, d} {
			if key.Check("id", name) != nil {
				return
			}
		}
		one, err1 := key.Of("version", a, b)
		two, err2 := key.Of("version", c, d)
		if err1 != nil || err2 != nil {
			t.Fatalf("checked names make no key: %v, %v", err1, err2)
		}
		if (one == two) != (a == c && b == d) {
			t.Fatalf("%q/%q and %q/%q: %q, %q", a, b, c, d, one, two)
		}
	})
}
