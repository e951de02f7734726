package asset

import (
	"math"
	"math/big"
	"testing"

	"github.com/hanse-io/hanse/contracts/refusal"
)

func TestParseAmount(t *testing.T) {
	for _, row := range []struct {
		why, text string
		want      amount
		ok        bool
	}{
		{"the smallest amount", "0", 0, true},
		{"2^53+1 is where JSON numbers begin to lose digits", "9007199254740993", 9007199254740993, true},
		{"the largest amount", "18446744073709551615", math.MaxUint64, true},
		{"one more than the largest does not wrap to 0", "18446744073709551616", 0, false},
		{"a negative amount would be a theft", "-1", 0, false},
		{"a plus sign is a second spelling", "+1", 0, false},
		{"a leading zero is a second spelling", "01", 0, false},
		{"a fraction has no unit", "1.5", 0, false},
		{"an exponent is not digits", "1e3", 0, false},
		{"hexadecimal is not decimal", "0x10", 0, false},
		{"an underscore is Go's, not a user's", "1_000", 0, false},
		{"a space is not a digit", " 1", 0, false},
		{"nothing is not zero", "", 0, false},
		{"digits of other scripts are refused", "١", 0, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			got, err := parseAmount(row.text)
			if got != row.want || (err == nil) != row.ok {
				t.Errorf("got %d, %v", got, err)
			}
			if err != nil && !refusal.Invalid.Is(err) {
				t.Errorf("not an invalid argument: %v", err)
			}
		})
	}
}

func TestParsePositiveRefusesZero(t *testing.T) {
	if _, err := parsePositive("0"); !refusal.Invalid.Is(err) {
		t.Errorf("zero moves nothing, yet got %v", err)
	}
}

// FuzzAmount holds the arithmetic against big integers: it agrees exactly, or refuses exactly
// where the true result does not fit.
func FuzzAmount(f *testing.F) {
	f.Add("1", "2")
	f.Add("18446744073709551615", "1")
	f.Add("18446744073709551614", "1")
	f.Add("0", "18446744073709551615")
	f.Add("-1", "007")
	f.Fuzz(func(t *testing.T, left, right string) {
		a, errA := parseAmount(left)
		b, errB := parseAmount(right)
		if errA != nil || errB != nil {
			return
		}
		if a.String() != left {
			t.Fatalf("%q has another spelling: %q", left, a)
		}
		bigA, bigB := new(big.Int).SetUint64(uint64(a)), new(big.Int).SetUint64(uint64(b))
		check(t, "plus", new(big.Int).Add(bigA, bigB), a.plus, b, refusal.Overflow)
		check(t, "minus", new(big.Int).Sub(bigA, bigB), a.minus, b, refusal.Insufficient)
	})
}

func check(t *testing.T, name string, want *big.Int, apply func(amount) (amount, error), b amount, code refusal.Code) {
	t.Helper()
	got, err := apply(b)
	switch {
	case want.IsUint64() && (err != nil || uint64(got) != want.Uint64()):
		t.Fatalf("%s %s: got %s (%v), want %s", name, b, got, err, want)
	case !want.IsUint64() && !code.Is(err):
		t.Fatalf("%s %s does not fit, yet got %s (%v)", name, b, got, err)
	}
}
