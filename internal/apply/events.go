package apply

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// Transitions records an event for each of the named conditions whose status has changed. A condition that is set for the
// first time counts only if it is Accepted and not True, so that new objects do not produce events.
func Transitions(recorder events.EventRecorder, object runtime.Object, before, after []metav1.Condition, kinds ...string) {
	for _, kind := range kinds {
		old, now := meta.FindStatusCondition(before, kind), meta.FindStatusCondition(after, kind)
		if now == nil || (old != nil && old.Status == now.Status) {
			continue
		}
		if old == nil && (kind != v1alpha1.ConditionAccepted || now.Status == metav1.ConditionTrue) {
			continue
		}
		level := corev1.EventTypeNormal
		if now.Status != metav1.ConditionTrue {
			level = corev1.EventTypeWarning
		}
		recorder.Eventf(object, nil, level, now.Reason, kind, "%s is %s: %s", kind, now.Status, now.Message)
	}
}
