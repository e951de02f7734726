package nodes

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// What the organization refuses is left as it is: not made, not changed, and in nobody's way.
func TestForbiddenWorkload(t *testing.T) {
	const why = "org1 does not allow the image"
	refused := func(w *ledger.Workload) { w.Pod.Containers[0].Image, w.Refused = "evil:1", why }
	running := Desired(plan, peer(nil), nil).StatefulSet
	running.Status = appsv1.StatefulSetStatus{ReadyReplicas: 1}
	for _, row := range []struct {
		why     string
		change  func(*ledger.Workload)
		current *appsv1.StatefulSet
		digests map[string]string
		changes bool
		ready   bool
		reason  string
	}{
		{"a new image is a change", func(w *ledger.Workload) { w.Pod.Containers[0].Image = "peer:2" }, running, map[string]string{"peer0-org1-tls": "1"}, true, true, ""},
		{"a refused image is none, and the node runs on", refused, running, nil, false, true, v1alpha1.ReasonImageNotAllowed},
		{"a node that is not there is not made", refused, nil, nil, false, false, v1alpha1.ReasonImageNotAllowed},
	} {
		t.Run(row.why, func(t *testing.T) {
			w := peer(row.change)
			set := Desired(plan, w, row.digests)
			if changes := stateOf(set, row.current, false).changed(); changes != row.changes {
				t.Errorf("changes: %v", changes)
			}
			held := map[string]Diagnosis{}
			if d := blocked(w, row.digests); d.Reason != "" {
				held[w.Name] = d
			}
			seen := &observed{sets: map[string]*appsv1.StatefulSet{}}
			if row.current != nil {
				seen.sets[w.Name] = row.current
			}
			result := (&pass{sets: []Set{set}, observed: seen, blocked: held}).result()
			if result.Reason != row.reason || result.Nodes[0].Ready != row.ready {
				t.Errorf("reason %q, %+v", result.Reason, result.Nodes[0])
			}
		})
	}
}
