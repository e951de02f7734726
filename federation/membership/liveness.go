package membership

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
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
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
)

// LivenessManager owns a Member's conditions Online and CredentialShared, and the summary of its lines.
const LivenessManager = "hanse-liveness"

// Liveness turns the agents' Leases into the condition Online. It goes by when the host has seen a Lease change and not
// by the time that the agent wrote into it, so an organization's wrong clock does no harm.
type Liveness struct {
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock

	mu        sync.Mutex
	sightings map[string]sighting
}

// sighting is the last renewal that was seen, and when.
type sighting struct {
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

// toMember requests the Member whose agent's Lease has changed.
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

// Reconcile judges one Member's Lease and looks again when it would run out. A renewal alone writes nothing.
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
	expires, byTurns := r.observe(member.Name, lease, before != nil && before.Status == metav1.ConditionTrue, now)
	status := livenessStatus{LinesSummary: linesSummary(member.Status.Lines)}
	users := shared(member, byTurns)
	status.Conditions = fold.Conditions(member.Status.Conditions, 0, now, map[string]fold.Verdict{
		v1alpha1.MemberOnline: online(lease, expires, now), v1alpha1.MemberCredentialShared: users,
	})
	if status.LinesSummary != member.Status.LinesSummary || !saidAlready(member.Status.Conditions, status.Conditions) {
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

// saidAlready is whether each of next is among the conditions that there are.
func saidAlready(have, next []metav1.Condition) bool {
	for _, c := range next {
		was := meta.FindStatusCondition(have, c.Type)
		if was == nil || !equality.Semantic.DeepEqual(*was, c) {
			return false
		}
	}
	return true
}

// warn raises an event when it is first seen that a Member's credential has two users.
func (r *Liveness) warn(member *v1alpha1.Member, users fold.Verdict) {
	if users.Status == metav1.ConditionTrue && !meta.IsStatusConditionTrue(member.Status.Conditions, v1alpha1.MemberCredentialShared) {
		r.Recorder.Eventf(member, nil, corev1.EventTypeWarning, users.Reason, "Watch", "%s", users.Message)
	}
}

// observe notes a renewal and says until when the Member counts as in contact, and whether two agents renew by turns.
func (r *Liveness) observe(member string, lease *coordinationv1.Lease, wasOnline bool, now time.Time) (expires time.Time, byTurns bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if lease == nil || lease.Spec.RenewTime == nil {
		delete(r.sightings, member)
		return time.Time{}, false
	}
	if r.sightings == nil {
		r.sightings = map[string]sighting{}
	}
	old, known := r.sightings[member]
	current := sight(old, known, lease, wasOnline, now)
	current.holders = old.holders.next(ptr.Deref(lease.Spec.HolderIdentity, ""))
	r.sightings[member] = current
	return current.seen.Add(grace(lease)), current.holders.byTurns()
}

func (r *Liveness) forget(member string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sightings, member)
}

// sight says when a Lease's renewal was seen. After a restart of the host nothing has been seen yet: then a Lease that is
// current by both clocks counts from its own time, and a Member that was in contact gets the time that it would get from
// a renewal now. Pure.
func sight(old sighting, known bool, lease *coordinationv1.Lease, wasOnline bool, now time.Time) sighting {
	renewal := lease.Spec.RenewTime.Time
	switch age := now.Sub(renewal); {
	case known && old.renewal.Equal(renewal):
		return old
	case known, wasOnline:
		return sighting{renewal: renewal, seen: now}
	case age >= 0 && age < grace(lease):
		return sighting{renewal: renewal, seen: renewal}
	}
	return sighting{renewal: renewal}
}

// Bounds of the duration that an agent may ask for in its Lease.
const (
	defaultLease = 15 * time.Second
	longestLease = 10 * time.Minute
)

// grace is how long after a renewal a Member counts as in contact: one and a half times the Lease's duration.
func grace(lease *coordinationv1.Lease) time.Duration {
	duration := time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)) * time.Second
	if duration <= 0 {
		duration = defaultLease
	}
	return min(duration, longestLease) * 3 / 2
}

// online is the verdict on the condition Online: True or Unknown, never False. Pure.
func online(lease *coordinationv1.Lease, expires, now time.Time) fold.Verdict {
	switch {
	case lease == nil:
		return fold.Verdict{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWaiting, Message: "the agent has not been heard of yet"}
	case now.Before(expires):
		return fold.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonLeaseCurrent, Message: "the agent is in contact"}
	}
	return fold.Verdict{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonLeaseExpired,
		Message: fmt.Sprintf("nothing heard of the agent for more than %s", grace(lease))}
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
