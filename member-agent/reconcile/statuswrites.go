package reconcile

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// statusInterval is the minimum time between two writes of a plan's status that nobody waits for. While a consortium starts, its
// messages change with every pod and certificate; each write is one here, one on the host, and one of the host's own.
const statusInterval = 2 * time.Second

// statusWrites knows when the status of each plan was written last.
type statusWrites struct {
	mu sync.Mutex
	at map[string]time.Time
}

// wait is how long the write of a plan's status can wait; 0 if it is due.
func (w *statusWrites) wait(plan string, before, after *v1alpha1.MemberPlanStatus, now time.Time) time.Duration {
	w.mu.Lock()
	last, written := w.at[plan]
	w.mu.Unlock()
	since := now.Sub(last)
	if !written || since < 0 || since >= statusInterval || isAwaited(before, after) {
		return 0
	}
	return statusInterval - since
}

func (w *statusWrites) done(plan string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[plan] = now
}

func (w *statusWrites) forget(plan string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.at, plan)
}

// isAwaited is whether a new status says something that host, members or a person wait for, beside how far things are.
func isAwaited(before, after *v1alpha1.MemberPlanStatus) bool {
	ready := func(s *v1alpha1.MemberPlanStatus) bool {
		return meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReady)
	}
	return ready(before) || ready(after) || !equality.Semantic.DeepEqual(awaited(before), awaited(after))
}

// awaitedStatus is the part of a status that is acted upon, beside Ready.
type awaitedStatus struct {
	Record, Holdings string
	Channels         []v1alpha1.PlanChannelStatus
	Contracts        []v1alpha1.PlanContractStatus
	Conditions       []metav1.Condition
}

// awaitedConditions are those that are acted upon beside Ready.
var awaitedConditions = []string{v1alpha1.PlanMirrored, v1alpha1.PlanRetired, v1alpha1.PlanCredentialShared, v1alpha1.PlanTrusted}

func awaited(s *v1alpha1.MemberPlanStatus) awaitedStatus {
	a := awaitedStatus{Record: s.Record, Holdings: s.Holdings}
	for _, c := range s.Channels {
		known := v1alpha1.PlanChannelStatus{Name: c.Name, Genesis: c.Genesis, GenesisHash: c.GenesisHash}
		if slices.Contains(permanentReasons, c.Reason) {
			known.Reason = c.Reason
		}
		a.Channels = append(a.Channels, known)
	}
	for _, c := range s.Contracts {
		a.Contracts = append(a.Contracts, v1alpha1.PlanContractStatus{
			Name: c.Name, Channel: c.Channel, Definition: c.Definition, Approved: c.Approved, Committed: c.Committed,
			Differs: c.Differs, Workload: c.Workload,
		})
	}
	for _, c := range s.Conditions {
		if slices.Contains(awaitedConditions, c.Type) {
			a.Conditions = append(a.Conditions, metav1.Condition{Type: c.Type, Status: c.Status, Reason: c.Reason})
		}
	}
	return a
}
