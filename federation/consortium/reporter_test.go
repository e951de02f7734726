package consortium

import (
	"testing"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

func TestBeforeDeadline(t *testing.T) {
	for _, c := range []struct {
		why         string
		asked, left time.Duration
		want        time.Duration
	}{
		{"nothing else asks for a turn", 0, time.Minute, time.Minute},
		{"a conflict asks for one sooner", 20 * time.Millisecond, time.Minute, 20 * time.Millisecond},
		{"a failed write asks for one later than the deadline", retryInterval, 2 * time.Second, 2 * time.Second},
		{"the deadline has passed: not at once, over and over", 0, -time.Minute, time.Second},
	} {
		if got := beforeDeadline(ctrl.Result{RequeueAfter: c.asked}, c.left).RequeueAfter; got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}
