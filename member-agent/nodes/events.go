package nodes

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// eventGracePeriod is the age of a StatefulSet without a pod from which its Events are read.
const eventGracePeriod = 5 * time.Second

// explainMissingPods reads why a node has no pod. A StatefulSet reports that in Events only.
func (p *Phase) explainMissingPods(ctx context.Context, t *pass) {
	for _, set := range t.sets {
		current := t.observed.sets[set.Name]
		if current == nil || isStable(current) || t.blocked[set.Name].Reason != "" || len(t.observed.pods[set.Name]) > 0 {
			continue
		}
		if p.Now().Sub(current.CreationTimestamp.Time) < eventGracePeriod {
			continue
		}
		if why := p.newestEvent(ctx, current.Namespace, "StatefulSet", set.Name, "FailedCreate"); why != "" {
			t.blocked[set.Name] = Diagnosis{v1alpha1.ReasonRejected, "pod cannot be created: " + truncate(why)}
		}
	}
}

// newestEvent is the message of the newest Event of that reason about an object, empty if there is none. If it cannot be
// read, the message says how to find it.
func (p *Phase) newestEvent(ctx context.Context, namespace, kind, name, reason string) string {
	var events corev1.EventList
	err := p.Direct.List(ctx, &events, client.InNamespace(namespace), client.Limit(20), client.MatchingFields{
		"involvedObject.kind": kind, "involvedObject.name": name, "reason": reason,
	})
	if err != nil {
		return fmt.Sprintf("see kubectl -n %s describe %s %s (%v)", namespace, kind, name, err)
	}
	var newest *corev1.Event
	for i := range events.Items {
		if newest == nil || events.Items[i].LastTimestamp.After(newest.LastTimestamp.Time) {
			newest = &events.Items[i]
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Message
}
