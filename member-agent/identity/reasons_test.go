package identity

import (
	"testing"
	"time"
)

func TestReasons(t *testing.T) {
	var r reasonCache
	start := time.Unix(0, 0)
	asked := 0
	ask := func() string { asked++; return "the issuer is not ready" }
	for _, step := range []struct {
		why    string
		after  time.Duration
		forget bool
		want   string
		asked  int
	}{
		{"nothing is known yet", 0, false, "the issuer is not ready", 1},
		{"what was said is said again", fetchInterval - 1, false, "the issuer is not ready", 1},
		{"it may have changed", fetchInterval, false, "the issuer is not ready", 2},
		{"all was issued, and something is missing anew", fetchInterval + 1, true, "the issuer is not ready", 3},
	} {
		if step.forget {
			r.forget("hanse-trade")
		}
		if got := r.get("hanse-trade", start.Add(step.after), ask); got != step.want || asked != step.asked {
			t.Errorf("%s: %q after asking %d times, want %q after %d", step.why, got, asked, step.want, step.asked)
		}
	}
}
