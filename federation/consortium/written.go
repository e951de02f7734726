package consortium

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// writtenPlans are the updates of plans that the cache does not show yet. A Consortium is computed again for each of its
// plans' events, of which the first come while the cache lacks the other plans' last updates: writing these again would fail
// with a conflict, at the cost of a write.
type writtenPlans struct {
	mu    sync.Mutex
	byKey map[client.ObjectKey]writtenPlan
}

// writtenPlan is an update of the plan that was in the cache in a version.
type writtenPlan struct {
	version string
	spec    *v1alpha1.MemberPlanSpec
}

// isPending is whether the same update of the same version of a plan has been written.
func (w *writtenPlans) isPending(update *v1alpha1.MemberPlan) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.byKey[client.ObjectKeyFromObject(update)]
	return ok && last.version == update.ResourceVersion && equality.Semantic.DeepEqual(last.spec, &update.Spec)
}

// note remembers an update that has been written, with the version that it was made from. A plan that was created has none,
// and is not remembered: the cache does not show whether it was deleted since.
func (w *writtenPlans) note(update *v1alpha1.MemberPlan) {
	if update.ResourceVersion == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byKey == nil {
		w.byKey = map[client.ObjectKey]writtenPlan{}
	}
	w.byKey[client.ObjectKeyFromObject(update)] = writtenPlan{update.ResourceVersion, &update.Spec}
}

// seen forgets the updates of plans that the cache has in another version by now.
func (w *writtenPlans) seen(plans map[string]*v1alpha1.MemberPlan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, plan := range plans {
		key := client.ObjectKeyFromObject(plan)
		if last, ok := w.byKey[key]; ok && last.version != plan.ResourceVersion {
			delete(w.byKey, key)
		}
	}
}
