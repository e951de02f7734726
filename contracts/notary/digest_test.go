package notary

import (
	"strings"
	"testing"

	"github.com/hanse-io/hanse/contracts/refusal"
)

func TestParseDigest(t *testing.T) {
	for _, row := range []struct {
		why               string
		digest, algorithm string
		want              string
	}{
		{"a plain digest passes", strings.Repeat("0f", 32), "sha256", strings.Repeat("0f", 32)},
		{"upper case is the same digest, kept in one spelling", strings.Repeat("AB", 48), "sha384", strings.Repeat("ab", 48)},
		{"the longest digest passes", strings.Repeat("12", 64), "sha3-512", strings.Repeat("12", 64)},
		{"a byte short is another algorithm's digest or a truncation", strings.Repeat("0f", 31), "sha256", ""},
		{"a sha256 digest under sha512 is a mix-up", strings.Repeat("0f", 32), "sha512", ""},
		{"an odd length is no bytes", strings.Repeat("0", 63), "sha3-256", ""},
		{"the right length is not enough", strings.Repeat("0g", 32), "sha256", ""},
		{"a prefix is not part of a digest", "0x" + strings.Repeat("0f", 31), "sha256", ""},
		{"a broken algorithm is not on offer", strings.Repeat("0f", 20), "sha1", ""},
		{"algorithm names have one spelling", strings.Repeat("0f", 32), "SHA256", ""},
		{"an empty digest proves nothing", "", "sha256", ""},
		{"an empty algorithm is no algorithm", strings.Repeat("0f", 32), "", ""},
		{"64 bytes of letters with accents are not hexadecimal", strings.Repeat("é", 32), "sha256", ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			got, err := parseDigest(row.digest, row.algorithm)
			if got != row.want {
				t.Errorf("got %q, want %q (%v)", got, row.want, err)
			}
			if (row.want == "") != refusal.Invalid.Is(err) {
				t.Errorf("got the error %v", err)
			}
		})
	}
}

// FuzzParseDigest holds that whatever passes is lower-case hexadecimal of the algorithm's
// length, and passes again unchanged.
func FuzzParseDigest(f *testing.F) {
	for _, a := range algorithms {
		f.Add(strings.Repeat("aB", a.size), a.name)
	}
	f.Add("", "sha256")
	f.Add(strings.Repeat("\xff", 64), "sha256")
	f.Fuzz(func(t *testing.T, digest, algorithm string) {
		got, err := parseDigest(digest, algorithm)
		if err != nil {
			if !refusal.Invalid.Is(err) || len(err.Error()) > 400 {
				t.Fatalf("an odd refusal: %v", err)
			}
			return
		}
		if len(got) != len(digest) || strings.Trim(got, "0123456789abcdef") != "" {
			t.Fatalf("%q became %q", digest, got)
		}
		again, err := parseAnyDigest(got)
		if err != nil || again != got {
			t.Fatalf("%q passed once, then became %q (%v)", got, again, err)
		}
	})
}
