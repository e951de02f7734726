package identity

import (
	"testing"
	"time"
)

func TestReasons(t *testing.T) {
	var r reasons
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
		{"cert-manager has had no time yet", 0, false, "", 0},
		{"still too early", askEvery - 1, false, "", 0},
		{"it is time to ask", askEvery, false, "the issuer is not ready", 1},
		{"what was said is said again", 2*askEvery - 1, false, "the issuer is not ready", 1},
		{"it may have changed", 2 * askEvery, false, "the issuer is not ready", 2},
		{"all was issued, and something is missing anew", 3 * askEvery, true, "", 2},
	} {
		if step.forget {
			r.forget("hanse-trade")
		}
		if got := r.of("hanse-trade", start.Add(step.after), ask); got != step.want || asked != step.asked {
			t.Errorf("%s: %q after asking %d times, want %q after %d", step.why, got, asked, step.want, step.asked)
		}
	}
}
