package identity

import (
	"testing"
	"time"
)

func TestReasonCache(t *testing.T) {
	var r reasonCache
	start := time.Unix(0, 0)
	asked := 0
	ask := func() string { asked++; return "the issuer is not ready" }
	for _, step := range []struct {
		why   string
		after time.Duration
		asked int
	}{
		{"nothing is known yet", 0, 1},
		{"what was said is said again", fetchInterval - 1, 1},
		{"it may have changed", fetchInterval, 2},
	} {
		if got := r.get(start.Add(step.after), ask); got != "the issuer is not ready" || asked != step.asked {
			t.Errorf("%s: %q after asking %d times, want %d", step.why, got, asked, step.asked)
		}
	}
}
