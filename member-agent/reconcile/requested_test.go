package reconcile

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

func TestRequested(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	since := func(kind string, status metav1.ConditionStatus, ago time.Duration) []metav1.Condition {
		return []metav1.Condition{{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(now.Add(-ago))}}
	}
	all := []ledger.Identity{{Name: "peer0-org1-tls"}, {Name: "monitor-org1-tls", Deferred: true}}
	for _, row := range []struct {
		why        string
		conditions []metav1.Condition
		deferred   bool
	}{
		{"nothing is known yet", nil, false},
		{"the nodes do not run", since(v1alpha1.PlanNodesReady, metav1.ConditionFalse, time.Hour), false},
		{"the nodes have just come up, and the channels are next", since(v1alpha1.PlanNodesReady, metav1.ConditionTrue, time.Second), false},
		{"the nodes run, and others keep the plan waiting", since(v1alpha1.PlanNodesReady, metav1.ConditionTrue, deferral), true},
		{"it is ready", since(v1alpha1.ConditionReady, metav1.ConditionTrue, 0), true},
	} {
		t.Run(row.why, func(t *testing.T) {
			want := 1
			if row.deferred {
				want = 2
			}
			if got := requested(all, v1alpha1.MemberPlanStatus{Conditions: row.conditions}, now); len(got) != want || len(all) != 2 {
				t.Errorf("requested are %v", got)
			}
		})
	}
}
