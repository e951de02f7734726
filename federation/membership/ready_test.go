package membership

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	statuses "github.com/hanse-io/hanse/federation/status"
)

func TestReady(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: reason}
	}
	accepted := condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	registered := condition(v1alpha1.MemberRegistered, metav1.ConditionTrue, v1alpha1.ReasonRegistered)
	online := statuses.Outcome{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonLeaseCurrent}
	one := statuses.Outcome{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonOneAgent}
	for _, c := range []struct {
		why              string
		conditions       []metav1.Condition
		users, connected statuses.Outcome
		status           metav1.ConditionStatus
		reason           string
	}{
		{"registered and online", []metav1.Condition{accepted, registered}, one, online, metav1.ConditionTrue, v1alpha1.ReasonReady},
		{"the Registrar has not written yet", nil, one, statuses.Outcome{Status: metav1.ConditionUnknown}, metav1.ConditionUnknown, v1alpha1.ReasonWaiting},
		{"nobody has used the invitation", []metav1.Condition{accepted, condition(v1alpha1.MemberRegistered, metav1.ConditionFalse, v1alpha1.ReasonInvited)},
			one, statuses.Outcome{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWaiting}, metav1.ConditionFalse, v1alpha1.ReasonInvited},
		{"lost contact is Unknown, never False", []metav1.Condition{accepted, registered}, one,
			statuses.Outcome{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonLeaseExpired}, metav1.ConditionUnknown, v1alpha1.ReasonLeaseExpired},
		{"somebody else has the agent's key", []metav1.Condition{accepted, registered},
			statuses.Outcome{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCredentialShared}, online, metav1.ConditionFalse, v1alpha1.ReasonCredentialShared},
		{"a Member that cannot be decoded", []metav1.Condition{condition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonUndecodable), registered},
			one, online, metav1.ConditionFalse, v1alpha1.ReasonUndecodable},
	} {
		if got := ready(c.conditions, c.users, c.connected); got.Status != c.status || got.Reason != c.reason {
			t.Errorf("%s: %+v, want %s, %s", c.why, got, c.status, c.reason)
		}
	}
}
