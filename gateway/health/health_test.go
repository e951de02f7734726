package health

import (
	"testing"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	up      = v1alpha1.LineUp
	down    = v1alpha1.LineDown
	unknown = v1alpha1.LineUnknown
)

func TestStates(t *testing.T) {
	for _, c := range []struct {
		why   string
		story string // a answer, m miss, r refusal
		want  v1alpha1.LineState
	}{
		{"nobody has tried yet", "", unknown},
		{"one answer proves the line", "a", up},
		{"two misses may be chance", "amm", up},
		{"three are not", "ammm", down},
		{"an answer in between starts the count anew", "ammamm", up},
		{"a line that never answered goes down too", "mmm", down},
		{"one refusal may be a gateway that is being replaced", "ar", up},
		{"two are an answer", "arr", down},
		{"a line that never was up does not tell by the time what is there", "rrrr", unknown},
		{"and goes down when one that is silent does", "rrmrmrm", down},
		{"an answer in between starts that count anew", "arar", up},
		{"refusals and misses are counted apart", "armm", up},
		{"one answer brings a line back", "ammma", up},
		{"a line that is down stays so", "mmmmmmrr", down},
	} {
		t.Run(c.why, func(t *testing.T) {
			l := lineAfter(c.story)
			if got := l.Snapshot().State; got != c.want {
				t.Errorf("after %q: %s, want %s", c.story, got, c.want)
			}
		})
	}
}

func lineAfter(story string) *Tracker {
	now := time.Unix(1000, 0)
	l := New(now)
	for _, step := range story {
		now = now.Add(time.Second)
		switch step {
		case 'a':
			l.Answered(now, time.Millisecond, up)
		case 'm':
			l.Missed(now, v1alpha1.LineUnreachable, "missed")
		case 'r':
			l.Rejected(now, v1alpha1.LineNotAuthenticated, "refused")
		}
	}
	return l
}

func TestChangesAreReportedOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New(now)
	for i, c := range []struct {
		changed bool
		want    bool
	}{
		{l.Answered(now, time.Millisecond, unknown), true},
		{l.Answered(now, time.Millisecond, unknown), false},
		{l.Answered(now, time.Millisecond, up), true}, // the far end's view is another one
		{l.Missed(now, v1alpha1.LineUnreachable, ""), false},
		{l.Missed(now, v1alpha1.LineUnreachable, ""), false},
		{l.Missed(now, v1alpha1.LineUnreachable, ""), true},
		{l.Missed(now, v1alpha1.LineUnreachable, ""), false},
	} {
		if c.changed != c.want {
			t.Errorf("step %d: changed is %v", i, c.changed)
		}
	}
}

func TestSnapshot(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New(now)
	for i := range 40 { // the first 24 are forgotten
		l.Answered(now.Add(time.Duration(i)*time.Second), time.Duration(i)*time.Millisecond, up)
	}
	s := l.Snapshot()
	if s.RTT != 31*time.Millisecond {
		t.Errorf("the median of 24..39 ms is %v", s.RTT)
	}
	if !s.Since.Equal(now) || s.Message != "" || s.Reverse != up {
		t.Errorf("of a line that is up: %+v", s)
	}
	later := now.Add(time.Hour)
	for range MissesUntilDown {
		l.Missed(later, v1alpha1.LineUnreachable, "cut")
	}
	if s := l.Snapshot(); s.RTT != 0 || s.Reverse != unknown || s.Message != "cut" || s.Reason != v1alpha1.LineUnreachable || !s.Since.Equal(later) {
		t.Errorf("what was said over a line that is down holds no more: %+v", s)
	}
}

// TestReasons: why a line is not up is what its last failure said, once that has brought it down, and nothing once it is up.
func TestReasons(t *testing.T) {
	const unreachable, unproven = v1alpha1.LineUnreachable, v1alpha1.LineNotAuthenticated
	now := time.Unix(1000, 0)
	answered := func(l *Tracker) bool { return l.Answered(now, time.Millisecond, up) }
	missed := func(reason v1alpha1.LineReason) func(*Tracker) bool {
		return func(l *Tracker) bool { return l.Missed(now, reason, "by "+string(reason)) }
	}
	rejected := func(l *Tracker) bool { return l.Rejected(now, unproven, "by "+string(unproven)) }
	for _, c := range []struct {
		why     string
		steps   []func(*Tracker) bool
		changed bool // by the last step
		reason  v1alpha1.LineReason
	}{
		{"at first it has not been probed", nil, false, v1alpha1.LineNotProbed},
		{"one miss of a line that was never up does not say more", []func(*Tracker) bool{missed(unreachable)}, false, v1alpha1.LineNotProbed},
		{"a line that is up lacks nothing", []func(*Tracker) bool{answered}, true, ""},
		{"nor for a miss or two", []func(*Tracker) bool{answered, missed(unreachable), missed(unreachable)}, false, ""},
		{"what has brought it down", []func(*Tracker) bool{missed(unreachable), missed(unreachable), missed(unproven)}, true, unproven},
		{"another reason, while it is down, is news", []func(*Tracker) bool{missed(unreachable), missed(unreachable), missed(unreachable), missed(unproven)}, true, unproven},
		{"the same again is not", []func(*Tracker) bool{missed(unreachable), missed(unreachable), missed(unreachable), missed(unreachable)}, false, unreachable},
		{"rejections that brought it down", []func(*Tracker) bool{answered, rejected, rejected}, true, unproven},
		{"a rejection of a line that is down is not told: its misses are", []func(*Tracker) bool{missed(unreachable), missed(unreachable), missed(unreachable), rejected}, false, unreachable},
		{"an answer ends it", []func(*Tracker) bool{missed(unreachable), missed(unreachable), missed(unreachable), answered}, true, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			l := New(now)
			changed := false
			for _, step := range c.steps {
				changed = step(l)
			}
			s := l.Snapshot()
			message := "by " + string(c.reason)
			switch c.reason {
			case "":
				message = ""
			case v1alpha1.LineNotProbed:
				message = "no probe of this line has been answered yet"
			}
			if changed != c.changed || s.Reason != c.reason || s.Message != message {
				t.Errorf("changed %v, reason %q, message %q; want %v, %q, %q", changed, s.Reason, s.Message, c.changed, c.reason, message)
			}
		})
	}
}
