// Package key says what a name on the ledger may look like, and builds the state
// keys that hold more than one name.
//
// Names are plain ASCII so that they sort the same everywhere, can be typed on a
// command line, and cannot smuggle a separator into a state key. The package
// must not know what is stored under a key.
package key

import (
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/hanse-io/hanse/contracts/refusal"
)

// MaxLength is the longest name, in bytes.
const MaxLength = 128

// After sorts behind every character that a name may hold; prefix+After ends a
// range that starts at prefix.
const After = "\x7f"

// Check refuses a name that cannot be part of a state key. The kind ("id",
// "account") is what the caller knows the argument as.
func Check(kind, name string) error {
	if name == "" {
		return refusal.Invalid.Because("the %s is empty: give 1 to %d characters", kind, MaxLength)
	}
	if !alphanumeric(name[0]) {
		return refusal.Invalid.Because("the %s %q must start with a letter or a digit", kind, brief(name))
	}
	return CheckPrefix(kind, name)
}

// CheckPrefix refuses what no name can start with. The empty prefix is fine: it
// stands for all names.
func CheckPrefix(kind, prefix string) error {
	if len(prefix) > MaxLength {
		return refusal.Invalid.Because("the %s has %d characters: %d are allowed", kind, len(prefix), MaxLength)
	}
	for i := range len(prefix) {
		if !allowed(prefix[i]) {
			return refusal.Invalid.Because("the %s %q holds the byte 0x%02x: letters, digits and . _ : / @ + = - are allowed",
				kind, prefix, prefix[i])
		}
	}
	return nil
}

// Of builds the composite key of an object type and names. Composite keys live
// apart from plain ones, so an object type cannot collide with a name.
func Of(objectType string, names ...string) (string, error) {
	composite, err := shim.CreateCompositeKey(objectType, names)
	if err != nil {
		return "", refusal.Invalid.Because("no state key for %s: %w", objectType, err)
	}
	return composite, nil
}

// Number is a sequence number as it stands in a state key.
func Number(n int) string { return strconv.Itoa(n) }

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func allowed(c byte) bool {
	switch c {
	case '.', '_', ':', '/', '@', '+', '=', '-':
		return true
	}
	return alphanumeric(c)
}

// brief keeps a hostile argument from filling the endorser's log.
func brief(s string) string {
	if len(s) <= MaxLength {
		return s
	}
	return s[:MaxLength] + "…"
}
