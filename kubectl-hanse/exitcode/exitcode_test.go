package exitcode

import (
	"errors"
	"fmt"
	"testing"
)

func TestOf(t *testing.T) {
	cause := errors.New("no")
	for _, row := range []struct {
		why  string
		err  error
		want int
	}{
		{"nothing went wrong", nil, OK},
		{"an error without a code", cause, Failed},
		{"a code is kept when more is said around it", fmt.Errorf("more: %w", With(NotReady, cause)), NotReady},
		{"the outer of two codes was chosen by whoever knows more", With(Usage, With(NotReady, cause)), Usage},
		{"a code without an error is no failure", With(Usage, nil), OK},
		{"a command line that is wrong", Usagef("no %s", "such flag"), Usage},
	} {
		if got := Of(row.err); got != row.want {
			t.Errorf("%s: code %d, want %d", row.why, got, row.want)
		}
	}
	if !errors.Is(With(Skew, cause), cause) {
		t.Error("the cause is lost")
	}
}
