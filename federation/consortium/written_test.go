package consortium

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func planAt(name, version, namespace string) *v1alpha1.MemberPlan {
	return &v1alpha1.MemberPlan{
		ObjectMeta: metav1.ObjectMeta{Namespace: "hanse-member-org1", Name: name, ResourceVersion: version},
		Spec:       v1alpha1.MemberPlanSpec{Member: "org1", Namespace: namespace},
	}
}

func TestWrittenPlans(t *testing.T) {
	for _, row := range []struct {
		why     string
		update  *v1alpha1.MemberPlan
		cached  *v1alpha1.MemberPlan
		pending bool
	}{
		{"the cache is behind, and the same is wanted", planAt("trade", "7", "a"), planAt("trade", "7", "old"), true},
		{"something else is wanted meanwhile", planAt("trade", "7", "b"), planAt("trade", "7", "old"), false},
		{"the cache has caught up, and somebody has changed the plan since", planAt("trade", "9", "a"), planAt("trade", "9", "foreign"), false},
		{"another plan", planAt("fish", "7", "a"), planAt("fish", "7", "old"), false},
		{"a plan to be created", planAt("trade", "", "a"), nil, false},
	} {
		var w writtenPlans
		w.note(planAt("trade", "7", "a"))
		w.note(planAt("new", "", "a"))
		if row.cached != nil {
			w.seen(map[string]*v1alpha1.MemberPlan{"org1": row.cached})
		}
		if w.isPending(row.update) != row.pending {
			t.Errorf("%s: %t", row.why, !row.pending)
		}
		if len(w.byKey) > 1 || w.isPending(planAt("new", "", "a")) {
			t.Errorf("%s: remembers %d", row.why, len(w.byKey))
		}
	}
	var w writtenPlans
	w.note(planAt("trade", "7", "a"))
	w.seen(map[string]*v1alpha1.MemberPlan{"org1": planAt("trade", "8", "a")})
	if len(w.byKey) != 0 {
		t.Error("an update that the cache shows is remembered")
	}
}
