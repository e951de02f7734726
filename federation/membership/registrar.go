// Package membership admits organizations' agents and watches whether they are in contact. It gives each Member a
// namespace, lets exactly one agent in for each invitation, renews that agent's credential for the same key only, and
// turns the agent's Lease into the condition Online. It must know nothing of Consortia, plans or ledgers.
//
// Three controllers share the work, each with a field manager of its own on the Member's status: the Registrar (what a
// credential opens, the invitation's door, Registered), the Approver (who was admitted), Liveness (Online).
package membership

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/plan"
)

// RegistrarManager owns a Member's namespace, its RBAC and the condition Registered.
const RegistrarManager = "hanse-registrar"

// Registrar keeps what each Member's credential opens.
type Registrar struct {
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches the Members and what belongs to them.
func (r *Registrar) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("registrar").
		WithOptions(options).
		For(&v1alpha1.Member{}, builder.WithPredicates(admissionChanged())).
		Owns(&corev1.Namespace{}, builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		Owns(&corev1.ServiceAccount{}).
		Owns(&rbacv1.RoleBinding{}).
		Owns(&rbacv1.ClusterRole{}).
		Owns(&rbacv1.ClusterRoleBinding{}).
		// A Lease that appears closes the invitation's door; its renewals are Liveness's business.
		Watches(&coordinationv1.Lease{}, toMember(), builder.WithPredicates(predicate.Funcs{
			UpdateFunc: func(event.UpdateEvent) bool { return false },
		})).
		Complete(r)
}

// admissionChanged passes changes of the spec and of who has been admitted.
func admissionChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Member)
		after, ok2 := e.ObjectNew.(*v1alpha1.Member)
		return ok && ok2 && (!equality.Semantic.DeepEqual(before.Status.Registration, after.Status.Registration) ||
			!equality.Semantic.DeepEqual(before.Undecodable, after.Undecodable))
	}})
}

// Reconcile brings one Member's access, its invitation's door and its condition up to date.
func (r *Registrar) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	member := &v1alpha1.Member{}
	if err := r.Client.Get(ctx, req.NamespacedName, member); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !member.DeletionTimestamp.IsZero() {
		// Everything that belongs to the Member goes with it.
		return ctrl.Result{}, nil
	}
	for _, object := range access(member) {
		if err := apply.Object(ctx, r.Client, RegistrarManager, object); err != nil {
			return apply.Result(err)
		}
	}
	now := r.Clock.Now()
	until, err := r.keepDoor(ctx, member, now)
	if err != nil {
		return apply.Result(err)
	}
	if err := r.report(ctx, member, now); err != nil {
		return apply.Result(err)
	}
	if until.After(now) {
		return ctrl.Result{RequeueAfter: until.Sub(now)}, nil
	}
	return ctrl.Result{}, nil
}

// keepDoor makes the invitation's ServiceAccount while the invitation stands, and takes it away when it does not. A new
// invitation gets a new ServiceAccount, so that the old one's tokens end with it.
func (r *Registrar) keepDoor(ctx context.Context, member *v1alpha1.Member, now time.Time) (time.Time, error) {
	heard, err := r.leaseMade(ctx, member.Name)
	if err != nil {
		return time.Time{}, err
	}
	open, until := door(member, heard, now)
	objects := invitation(member)
	account := &corev1.ServiceAccount{}
	err = r.Client.Get(ctx, client.ObjectKeyFromObject(objects[0]), account)
	if client.IgnoreNotFound(err) != nil {
		return until, err
	}
	stale := err == nil && account.Annotations[v1alpha1.AnnotationInvitation] != member.Spec.Invitation
	if stale || !open {
		for _, object := range objects {
			if err := r.remove(ctx, object); err != nil {
				return until, err
			}
		}
	}
	if !open {
		return until, nil
	}
	for _, object := range objects {
		if stale {
			// The cache still shows the old ones.
			err = apply.Exactly(ctx, r.Client, RegistrarManager, object)
		} else {
			err = apply.Object(ctx, r.Client, RegistrarManager, object)
		}
		if err != nil {
			return until, err
		}
	}
	return until, nil
}

// remove deletes an object if the cache knows it.
func (r *Registrar) remove(ctx context.Context, object client.Object) error {
	existing, ok := object.DeepCopyObject().(client.Object)
	if !ok {
		return nil
	}
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(object), existing); err != nil {
		return client.IgnoreNotFound(err)
	}
	uid := existing.GetUID()
	return client.IgnoreNotFound(r.Client.Delete(ctx, existing, client.Preconditions{UID: &uid}))
}

// leaseMade is when a Member's Lease was made, by the host's own clock; zero if there is none.
func (r *Registrar) leaseMade(ctx context.Context, member string) (time.Time, error) {
	lease := &coordinationv1.Lease{}
	err := r.Client.Get(ctx, leaseKey(member), lease)
	if apierrors.IsNotFound(err) {
		return time.Time{}, nil
	}
	return lease.CreationTimestamp.Time, err
}

// registrarStatus is the Registrar's part of a Member's status.
type registrarStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// report writes the condition Registered if it says anything new.
func (r *Registrar) report(ctx context.Context, member *v1alpha1.Member, now time.Time) error {
	before := member.Status.Conditions
	status := registrarStatus{ObservedGeneration: member.Generation}
	status.Conditions = fold.Conditions(before, member.Generation, now, map[string]fold.Verdict{
		v1alpha1.ConditionAccepted: fold.Accepted(plan.JudgeMember(member)),
		v1alpha1.MemberRegistered:  registered(member, now),
	})
	old := meta.FindStatusCondition(before, v1alpha1.MemberRegistered)
	if said(before, status.Conditions) && member.Status.ObservedGeneration == member.Generation {
		return nil
	}
	if err := apply.Status(ctx, r.Client, RegistrarManager, member, &status, ""); err != nil {
		return client.IgnoreNotFound(err)
	}
	apply.Transitions(r.Recorder, member, before, status.Conditions, v1alpha1.ConditionAccepted)
	is := meta.FindStatusCondition(status.Conditions, v1alpha1.MemberRegistered)
	if old != nil && old.Reason != is.Reason && is.Reason == v1alpha1.ReasonInvitationExpired {
		r.Recorder.Eventf(member, nil, corev1.EventTypeWarning, v1alpha1.ReasonInvitationExpired, "Invite", "%s", is.Message)
	}
	return nil
}

// said is whether every one of the conditions stands there already.
func said(before, conditions []metav1.Condition) bool {
	for _, condition := range conditions {
		old := meta.FindStatusCondition(before, condition.Type)
		if old == nil || !equality.Semantic.DeepEqual(*old, condition) {
			return false
		}
	}
	return true
}
