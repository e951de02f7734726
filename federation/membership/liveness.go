package membership

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/hanse-io/hanse/api/v1alpha1"
	statuses "github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/internal/apply"
)

// LivenessManager owns a Member's conditions Online, CredentialShared and Ready, and the summary of its lines.
const LivenessManager = "hanse-liveness"

// Liveness computes the condition Online from the agents' Leases. It uses the time at which the host observed a renewal and
// not the one that the agent wrote, so that a wrong clock in an organization's cluster does not matter.
type Liveness struct {
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock

	mu           sync.Mutex
	observations map[string]leaseObservation
}

// leaseObservation is the last renewal that was observed, and when.
type leaseObservation struct {
	renewal time.Time
	seen    time.Time
	holders holders
}

// SetupWithManager watches the Leases.
func (r *Liveness) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("liveness").
		WithOptions(options).
		For(&v1alpha1.Member{}).
		Watches(&coordinationv1.Lease{}, toMember()).
		Complete(r)
}

// toMember enqueues the Member whose agent's Lease has changed.
func toMember() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		member, ok := strings.CutPrefix(object.GetNamespace(), v1alpha1.MemberNamespace(""))
		if !ok || object.GetName() != v1alpha1.AgentLease {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: member}}}
	})
}

func leaseKey(member string) types.NamespacedName {
	return types.NamespacedName{Namespace: v1alpha1.MemberNamespace(member), Name: v1alpha1.AgentLease}
}

// livenessStatus is Liveness's part of a Member's status.
type livenessStatus struct {
	LinesSummary string             `json:"linesSummary,omitempty"`
	Conditions   []metav1.Condition `json:"conditions,omitempty"`
}

// Reconcile evaluates one Member's Lease and requeues for when it would expire. A renewal alone writes nothing.
func (r *Liveness) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	member := &v1alpha1.Member{}
	if err := r.Client.Get(ctx, req.NamespacedName, member); err != nil {
		r.forget(req.Name)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	lease := &coordinationv1.Lease{}
	if err := r.Client.Get(ctx, leaseKey(member.Name), lease); apierrors.IsNotFound(err) {
		lease = nil
	} else if err != nil {
		return ctrl.Result{}, err
	}
	now := r.Clock.Now()
	before := meta.FindStatusCondition(member.Status.Conditions, v1alpha1.MemberOnline)
	expires, alternate := r.observe(member.Name, lease, before != nil && before.Status == metav1.ConditionTrue, now)
	status := livenessStatus{LinesSummary: linesSummary(member.Status.Lines)}
	users, connected := shared(member, alternate), online(lease, expires, now)
	status.Conditions = statuses.Conditions(member.Status.Conditions, 0, now, map[string]statuses.Outcome{
		v1alpha1.MemberOnline: connected, v1alpha1.MemberCredentialShared: users,
		v1alpha1.ConditionReady: ready(member.Status.Conditions, users, connected),
	})
	if status.LinesSummary != member.Status.LinesSummary || !conditionsUnchanged(member.Status.Conditions, status.Conditions) {
		if err := apply.Status(ctx, r.Client, LivenessManager, member, &status, ""); err != nil {
			return apply.Result(client.IgnoreNotFound(err))
		}
		apply.Transitions(r.Recorder, member, member.Status.Conditions, status.Conditions, v1alpha1.MemberOnline)
		r.warn(member, users)
	}
	if expires.After(now) {
		return ctrl.Result{RequeueAfter: expires.Sub(now)}, nil
	}
	return ctrl.Result{}, nil
}

// warn records an event when a Member's credential is first found to be shared.
func (r *Liveness) warn(member *v1alpha1.Member, users statuses.Outcome) {
	if users.Status == metav1.ConditionTrue && !meta.IsStatusConditionTrue(member.Status.Conditions, v1alpha1.MemberCredentialShared) {
		r.Recorder.Eventf(member, nil, corev1.EventTypeWarning, users.Reason, "Watch", "%s", users.Message)
	}
}

// observe records a renewal. It returns when the Member stops being online, and whether two agents renew alternately.
func (r *Liveness) observe(member string, lease *coordinationv1.Lease, wasOnline bool, now time.Time) (expires time.Time, alternate bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if lease == nil || lease.Spec.RenewTime == nil {
		delete(r.observations, member)
		return time.Time{}, false
	}
	if r.observations == nil {
		r.observations = map[string]leaseObservation{}
	}
	old, known := r.observations[member]
	current := observeLease(old, known, lease, wasOnline, now)
	current.holders = old.holders.next(ptr.Deref(lease.Spec.HolderIdentity, ""))
	r.observations[member] = current
	return current.seen.Add(grace(lease)), current.holders.alternate()
}

func (r *Liveness) forget(member string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.observations, member)
}

// observeLease is when a Lease's renewal was observed. After a restart of the host nothing has been observed yet: then a
// Lease that is current by both clocks counts from its own time, and a Member that was online gets the grace of a renewal
// now. Pure.
func observeLease(old leaseObservation, known bool, lease *coordinationv1.Lease, wasOnline bool, now time.Time) leaseObservation {
	renewal := lease.Spec.RenewTime.Time
	switch age := now.Sub(renewal); {
	case known && old.renewal.Equal(renewal):
		return old
	case known, wasOnline:
		return leaseObservation{renewal: renewal, seen: now}
	case age >= 0 && age < grace(lease):
		return leaseObservation{renewal: renewal, seen: renewal}
	}
	return leaseObservation{renewal: renewal}
}

// Bounds of the duration that an agent may ask for in its Lease.
const (
	defaultLease = 15 * time.Second
	maxLease     = 10 * time.Minute
)

// grace is how long after a renewal a Member counts as online: one and a half times the Lease's duration.
func grace(lease *coordinationv1.Lease) time.Duration {
	duration := time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)) * time.Second
	if duration <= 0 {
		duration = defaultLease
	}
	return min(duration, maxLease) * 3 / 2
}

// online is the outcome of the condition Online: True or Unknown, never False. Pure.
func online(lease *coordinationv1.Lease, expires, now time.Time) statuses.Outcome {
	switch {
	case lease == nil:
		return statuses.Outcome{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWaiting, Message: "the agent has not connected yet"}
	case now.Before(expires):
		return statuses.Outcome{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonLeaseCurrent, Message: "the agent is online"}
	}
	return statuses.Outcome{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonLeaseExpired,
		Message: fmt.Sprintf("the agent has not renewed its Lease for more than %s", grace(lease))}
}

// ready is the outcome of a Member's Ready, from what the Registrar and this controller find: what is first missing, in the order
// of a Member's life. Pure.
func ready(conditions []metav1.Condition, users, connected statuses.Outcome) statuses.Outcome {
	for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.MemberRegistered} {
		switch c := meta.FindStatusCondition(conditions, kind); {
		case c == nil:
			return statuses.Outcome{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWaiting, Message: "the host has not looked at the member yet"}
		case c.Status != metav1.ConditionTrue:
			return statuses.Outcome{Status: c.Status, Reason: c.Reason, Message: c.Message}
		}
	}
	switch {
	case users.Status == metav1.ConditionTrue:
		return statuses.Outcome{Status: metav1.ConditionFalse, Reason: users.Reason, Message: users.Message}
	case connected.Status != metav1.ConditionTrue:
		return connected
	}
	return statuses.Outcome{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "the agent is registered and online"}
}

func linesSummary(lines []v1alpha1.LineReport) string {
	if len(lines) == 0 {
		return ""
	}
	up := 0
	for _, line := range lines {
		if line.State == v1alpha1.LineUp {
			up++
		}
	}
	return fmt.Sprintf("%d/%d", up, len(lines))
}
