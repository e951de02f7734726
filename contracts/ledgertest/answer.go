package ledgertest

import (
	"encoding/json"
	"strings"
	"testing"
)

// Parse reads an answer strictly: a field that the type does not know is a mistake.
func Parse[T any](t testing.TB, text string, err error) T {
	t.Helper()
	var value T
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// Submit commits a call that has to succeed, and reads its answer.
func Submit[T any](t testing.TB, l *Ledger, c Client, function string, args ...string) T {
	t.Helper()
	text, err := l.Submit(c, function, args...)
	return Parse[T](t, text, err)
}

// Evaluate runs a query that has to succeed, and reads its answer.
func Evaluate[T any](t testing.TB, l *Ledger, c Client, function string, args ...string) T {
	t.Helper()
	text, err := l.Evaluate(c, function, args...)
	return Parse[T](t, text, err)
}
