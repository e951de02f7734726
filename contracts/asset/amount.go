package asset

import (
	"math"
	"strconv"

	"github.com/hanse-io/hanse/contracts/refusal"
)

// amount counts an asset's smallest units. It crosses JSON as a decimal string,
// because a JSON number loses digits above 2^53 in most clients.
type amount uint64

// parseAmount accepts one spelling of each amount: decimal digits without sign, spaces or leading zeros.
func parseAmount(text string) (amount, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, refusal.Invalid.Because(
			"the amount %q is not one: give a whole number of the smallest unit from 1 to %d, digits only, no leading zero",
			text[:min(len(text), 32)], uint64(math.MaxUint64))
	}
	return amount(n), nil
}

// parsePositive is for what moves: zero moves nothing and would only fill the history.
func parsePositive(text string) (amount, error) {
	a, err := parseAmount(text)
	if err == nil && a == 0 {
		return 0, refusal.Invalid.Because("the amount is 0: there is nothing to move, give 1 or more")
	}
	return a, err
}

func (a amount) String() string { return strconv.FormatUint(uint64(a), 10) }

// plus refuses to wrap around.
func (a amount) plus(b amount) (amount, error) {
	if a > math.MaxUint64-b {
		return 0, refusal.Overflow.Because("%s and %s add up to more than %d", a, b, uint64(math.MaxUint64))
	}
	return a + b, nil
}

// minus refuses to go below zero.
func (a amount) minus(b amount) (amount, error) {
	if b > a {
		return 0, refusal.Insufficient.Because("%s are asked for, %s are there", b, a)
	}
	return a - b, nil
}
