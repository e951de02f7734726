package status

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Marks before each row.
const (
	done    = "✓"
	waiting = "…"
	failed  = "✗"
	unknown = "?"
)

// isFault is whether a reason says that something is wrong, and not merely that it is not done yet.
func isFault(reason string) bool {
	return !slices.Contains([]string{"", v1alpha1.ReasonReady, v1alpha1.ReasonProgressing, v1alpha1.ReasonWaiting,
		v1alpha1.ReasonUnreachable, v1alpha1.ReasonRetiring, v1alpha1.ReasonInvited}, reason)
}

func mark(status metav1.ConditionStatus, reason string) string {
	switch status {
	case metav1.ConditionTrue:
		return done
	case metav1.ConditionFalse:
		if isFault(reason) {
			return failed
		}
		return waiting
	}
	return unknown
}

// faulty is whether a condition, which may be missing, says that something is wrong.
func faulty(c *condition) bool {
	return c != nil && mark(c.Status, c.Reason) == failed
}

// stateRow is a row for what is reported without conditions. What is ready and all the same has a reason is at fault:
// something earlier goes on in its place.
func stateRow(name string, ready bool, reason, text string) row {
	switch {
	case isFault(reason):
		return row{mark: failed, name: name, text: cmp.Or(text, reason), reason: reason}
	case ready:
		return row{mark: done, name: name, text: text, reason: reason}
	}
	return row{mark: waiting, name: name, text: text, reason: reason}
}

// objectRow is the row of an object with what single organizations report of it. What is at fault at one of them is at
// fault, whether or not the host has come to say so.
func objectRow(name string, conditions []condition, at []row) row {
	r := conditionRow(name, conditions)
	r.children = at
	if anyFailed(at) {
		r.mark = failed
	}
	return r
}
