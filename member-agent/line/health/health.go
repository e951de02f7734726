// Package health decides whether a line is up, from answers, misses and refusals. It is pure: the time is told to it,
// and it must not know how a line is probed nor what its state is used for.
package health

import (
	"slices"
	"time"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

const (
	// MissesUntilDown is how many probes in a row go unanswered before a line counts as down.
	MissesUntilDown = 3
	// RefusalsUntilDown is how many attempts in a row are refused before a line counts as down. A refusal is an answer,
	// so that fewer will do.
	RefusalsUntilDown = 2
	// keptRTTs is how many round trips the median is taken of.
	keptRTTs = 16
)

// Line is what is known of one line. Its zero value is not usable; New makes one. It is not safe for concurrent use.
type Line struct {
	state, reverse   v1alpha1.LineState
	since            time.Time
	reason           v1alpha1.LineReason
	message          string
	misses, refusals int
	rtts             []time.Duration
	next             int
}

// Snapshot is what is known of a line at one moment.
type Snapshot struct {
	State   v1alpha1.LineState
	Reverse v1alpha1.LineState
	// RTT is the median of the latest round trips, zero if there was none.
	RTT time.Duration
	// Since is when State was last changed.
	Since time.Time
	// Reason and Message say why the line is not up: in a word, and exactly. Message is for the own cluster only.
	Reason  v1alpha1.LineReason
	Message string
}

// New is a line of which nothing is known yet.
func New(now time.Time) *Line {
	return &Line{
		state: v1alpha1.LineUnknown, reverse: v1alpha1.LineUnknown, since: now,
		reason: v1alpha1.LineNotProbed, message: "no probe of this line has been answered yet",
	}
}

// Answered records a probe's answer: its round trip and how the far end finds the line. It reports whether the state,
// either end's, is now another one.
func (l *Line) Answered(now time.Time, rtt time.Duration, reverse v1alpha1.LineState) bool {
	l.misses, l.refusals = 0, 0
	if len(l.rtts) < keptRTTs {
		l.rtts = append(l.rtts, rtt)
	} else {
		l.rtts[l.next] = rtt
		l.next = (l.next + 1) % keptRTTs
	}
	turned := l.reverse != reverse
	l.reverse = reverse
	return l.become(v1alpha1.LineUp, now, "", "") || turned
}

// Missed records that an interval went by without an answer, and why if that is known.
func (l *Line) Missed(now time.Time, reason v1alpha1.LineReason, why string) bool {
	l.misses++
	return l.misses >= MissesUntilDown && l.down(now, reason, why)
}

// Refused records that the far end could be reached, but would not have us or is not who it should be. It takes down a
// line that was up at once. A line that never was up goes down by misses alone, which take the same time whatever is
// there: who names addresses for the gateway to try is not to learn from the time what answers.
func (l *Line) Refused(now time.Time, reason v1alpha1.LineReason, why string) bool {
	l.refusals++
	return l.state == v1alpha1.LineUp && l.refusals >= RefusalsUntilDown && l.down(now, reason, why)
}

// Snapshot is what is known now.
func (l *Line) Snapshot() Snapshot {
	return Snapshot{State: l.state, Reverse: l.reverse, RTT: l.median(), Since: l.since, Reason: l.reason, Message: l.message}
}

func (l *Line) down(now time.Time, reason v1alpha1.LineReason, why string) bool {
	// What the far end found was said over the line that is now gone.
	l.reverse = v1alpha1.LineUnknown
	l.rtts, l.next = l.rtts[:0], 0
	return l.become(v1alpha1.LineDown, now, reason, why)
}

func (l *Line) become(state v1alpha1.LineState, now time.Time, reason v1alpha1.LineReason, message string) bool {
	turned := l.reason != reason
	l.reason, l.message = reason, message
	if l.state == state {
		return turned
	}
	l.state, l.since = state, now
	return true
}

func (l *Line) median() time.Duration {
	if len(l.rtts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l.rtts))
	return sorted[(len(sorted)-1)/2]
}
