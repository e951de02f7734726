package notary

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/hanse-io/hanse/contracts/refusal"
)

// algorithms are the digests that can be notarized and their sizes in bytes. A
// slice, not a map: error texts list it, and endorsers must agree on every byte.
var algorithms = []struct {
	name string
	size int
}{
	{"sha256", 32}, {"sha384", 48}, {"sha512", 64},
	{"sha3-256", 32}, {"sha3-384", 48}, {"sha3-512", 64},
}

// Algorithms lists the names of the digest algorithms that Put accepts.
func Algorithms() []string {
	names := make([]string, 0, len(algorithms))
	for _, a := range algorithms {
		names = append(names, a.name)
	}
	return names
}

// parseDigest checks a hexadecimal digest against its algorithm and gives it back in lower case,
// so that one digest has one spelling on the ledger.
func parseDigest(digest, algorithm string) (string, error) {
	for _, a := range algorithms {
		if a.name != algorithm {
			continue
		}
		if len(digest) != hex.EncodedLen(a.size) {
			return "", refusal.Invalid.Because("a %s digest has %d hexadecimal characters, this one has %d",
				algorithm, hex.EncodedLen(a.size), len(digest))
		}
		return canonical(digest)
	}
	return "", refusal.Invalid.Because("the algorithm %q is not known: use one of %s (in lower case)",
		algorithm[:min(len(algorithm), 32)], strings.Join(Algorithms(), ", "))
}

// parseAnyDigest is for queries, where the algorithm is not given.
func parseAnyDigest(digest string) (string, error) {
	fits := slices.ContainsFunc(algorithms, func(a struct {
		name string
		size int
	}) bool {
		return len(digest) == hex.EncodedLen(a.size)
	})
	if !fits {
		return "", refusal.Invalid.Because("a digest has 64, 96 or 128 hexadecimal characters, this one has %d", len(digest))
	}
	return canonical(digest)
}

func canonical(digest string) (string, error) {
	if _, err := hex.DecodeString(digest); err != nil {
		return "", refusal.Invalid.Because("the digest is not hexadecimal: give it as the digits 0-9 and a-f, without a prefix")
	}
	return strings.ToLower(digest), nil
}
