// Package health decides whether a line is up, from answers, misses and rejections. It is pure: the time is a parameter,
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
	// RejectionsUntilDown is how many attempts in a row are rejected before a line counts as down. A rejection is an
	// answer, so that fewer are enough.
	RejectionsUntilDown = 2
	// maxRTTs is the number of round trips of the median.
	maxRTTs = 16
)

// Tracker tracks the health of one line. Its zero value is not usable; use New. It is not safe for concurrent use.
type Tracker struct {
	state, reverse   v1alpha1.LineState
	since            time.Time
	reason           v1alpha1.LineReason
	message          string
	misses, refusals int
	rtts             []time.Duration
	next             int
}

// Snapshot is the health of a line at one moment.
type Snapshot struct {
	State   v1alpha1.LineState
	Reverse v1alpha1.LineState
	// RTT is the median of the latest round trips, zero if there was none.
	RTT time.Duration
	// Since is when State was last changed.
	Since time.Time
	// Reason and Message say why the line is not up. Message is for the own cluster only.
	Reason  v1alpha1.LineReason
	Message string
}

// New returns a Tracker in state Unknown.
func New(now time.Time) *Tracker {
	return &Tracker{
		state: v1alpha1.LineUnknown, reverse: v1alpha1.LineUnknown, since: now,
		reason: v1alpha1.LineNotProbed, message: "no probe of this line has been answered yet",
	}
}

// Answered records a probe's answer: its round trip and the line's state at the far end. It reports whether the state of
// either end has changed.
func (l *Tracker) Answered(now time.Time, rtt time.Duration, reverse v1alpha1.LineState) bool {
	l.misses, l.refusals = 0, 0
	if len(l.rtts) < maxRTTs {
		l.rtts = append(l.rtts, rtt)
	} else {
		l.rtts[l.next] = rtt
		l.next = (l.next + 1) % maxRTTs
	}
	turned := l.reverse != reverse
	l.reverse = reverse
	return l.set(v1alpha1.LineUp, now, "", "") || turned
}

// Missed records that an interval went by without an answer, and why if that is known.
func (l *Tracker) Missed(now time.Time, reason v1alpha1.LineReason, why string) bool {
	l.misses++
	return l.misses >= MissesUntilDown && l.down(now, reason, why)
}

// Rejected records that the far end could be reached, but does not accept us or cannot be authenticated. A line that was
// up goes down at once. One that was never up goes down by misses alone, which take the same time whatever is there, so
// that the timing does not reveal what answers at an address.
func (l *Tracker) Rejected(now time.Time, reason v1alpha1.LineReason, why string) bool {
	l.refusals++
	return l.state == v1alpha1.LineUp && l.refusals >= RejectionsUntilDown && l.down(now, reason, why)
}

// Snapshot is the current health.
func (l *Tracker) Snapshot() Snapshot {
	return Snapshot{State: l.state, Reverse: l.reverse, RTT: l.median(), Since: l.since, Reason: l.reason, Message: l.message}
}

func (l *Tracker) down(now time.Time, reason v1alpha1.LineReason, why string) bool {
	// The far end's state was reported over this line, which is now down.
	l.reverse = v1alpha1.LineUnknown
	l.rtts, l.next = l.rtts[:0], 0
	return l.set(v1alpha1.LineDown, now, reason, why)
}

func (l *Tracker) set(state v1alpha1.LineState, now time.Time, reason v1alpha1.LineReason, message string) bool {
	turned := l.reason != reason
	l.reason, l.message = reason, message
	if l.state == state {
		return turned
	}
	l.state, l.since = state, now
	return true
}

func (l *Tracker) median() time.Duration {
	if len(l.rtts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l.rtts))
	return sorted[(len(sorted)-1)/2]
}
