package nodes

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// patience is how old a StatefulSet without a pod, or a claim without a volume, is before the cluster is asked why.
const patience = 5 * time.Second

// explain looks up why a node has no pod or no volume. A StatefulSet says so in Events and nowhere else.
func (p *Phase) explain(ctx context.Context, t *turn) {
	for _, set := range t.sets {
		current := t.seen.sets[set.Name]
		if current == nil || settled(current) || t.held[set.Name].Reason != "" || len(t.seen.pods[set.Name]) > 0 {
			continue
		}
		if p.Now().Sub(current.CreationTimestamp.Time) < patience {
			continue
		}
		if why := p.warning(ctx, current.Namespace, "StatefulSet", set.Name, "FailedCreate"); why != "" {
			t.held[set.Name] = Diagnosis{v1alpha1.ReasonRejected, "the cluster does not let its pod be made: " + clipped(why)}
		}
	}
}

// warning is the newest Event of that reason about an object, empty if there is none. It only explains: when it cannot be
// read, nothing else is the worse for it.
func (p *Phase) warning(ctx context.Context, namespace, kind, name, reason string) string {
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
