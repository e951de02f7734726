// Package membership registers organizations' agents and monitors whether they are online. It creates a namespace for each
// Member, registers exactly one agent per invitation, renews that agent's credential for the same key only, and computes
// the condition Online from the agent's Lease. It must know nothing of Consortia, plans or ledgers.
//
// It has three controllers, each with a field manager of its own on the Member's status: the Registrar (RBAC, the
// invitation's ServiceAccount, Registered), the Approver (CertificateSigningRequests, the registration), Liveness (Online).
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
	"github.com/hanse-io/hanse/federation/plan"
	statuses "github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/internal/apply"
)

// RegistrarManager owns a Member's namespace, its RBAC and the condition Registered.
const RegistrarManager = "hanse-registrar"

// Registrar manages the namespace and RBAC of each Member and the ServiceAccount of its invitation.
type Registrar struct {
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Version of this controller, for Members' statuses.
	Version string
}

// SetupWithManager watches the Members and the objects that they own.
func (r *Registrar) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("registrar").
		WithOptions(options).
		For(&v1alpha1.Member{}, builder.WithPredicates(admissionChanged())).
		Owns(&corev1.Namespace{}, builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		Owns(&corev1.ServiceAccount{}).
		Owns(&rbacv1.RoleBinding{}).
		Owns(&rbacv1.ClusterRole{}).
		Owns(&rbacv1.ClusterRoleBinding{}).
		// A new Lease ends the use of the invitation; its renewals are handled by Liveness.
		Watches(&coordinationv1.Lease{}, toMember(), builder.WithPredicates(predicate.Funcs{
			UpdateFunc: func(event.UpdateEvent) bool { return false },
		})).
		Complete(r)
}

// admissionChanged passes changes of the spec and of the registration.
func admissionChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Member)
		after, ok2 := e.ObjectNew.(*v1alpha1.Member)
		return ok && ok2 && (!equality.Semantic.DeepEqual(before.Status.Registration, after.Status.Registration) ||
			!equality.Semantic.DeepEqual(before.Undecodable, after.Undecodable))
	}})
}

// Reconcile updates one Member's access, its invitation and its conditions.
func (r *Registrar) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	member := &v1alpha1.Member{}
	if err := r.Client.Get(ctx, req.NamespacedName, member); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !member.DeletionTimestamp.IsZero() {
		// Owned objects are garbage collected with the Member.
		return ctrl.Result{}, nil
	}
	for _, object := range access(member) {
		if err := apply.ApplyIfChanged(ctx, r.Client, RegistrarManager, object); err != nil {
			return apply.Result(err)
		}
	}
	now := r.Clock.Now()
	until, err := r.reconcileInvitation(ctx, member, now)
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

// reconcileInvitation creates the invitation's ServiceAccount while the invitation is open, and deletes it otherwise. A new
// invitation gets a new ServiceAccount, which invalidates the old one's tokens. It returns when to reconcile again.
func (r *Registrar) reconcileInvitation(ctx context.Context, member *v1alpha1.Member, now time.Time) (time.Time, error) {
	leaseCreated, err := r.leaseCreated(ctx, member.Name)
	if err != nil {
		return time.Time{}, err
	}
	open, until := invitationOpen(member, leaseCreated, now)
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
			// The cache still has the old ones.
			err = apply.ForceApply(ctx, r.Client, RegistrarManager, object)
		} else {
			err = apply.ApplyIfChanged(ctx, r.Client, RegistrarManager, object)
		}
		if err != nil {
			return until, err
		}
	}
	return until, nil
}

// remove deletes an object if it is in the cache.
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

// leaseCreated is when a Member's Lease was created, by the host's clock; zero if there is none.
func (r *Registrar) leaseCreated(ctx context.Context, member string) (time.Time, error) {
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
	FederationVersion  string             `json:"federationVersion,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// report writes the conditions Accepted and Registered if they have changed.
func (r *Registrar) report(ctx context.Context, member *v1alpha1.Member, now time.Time) error {
	before := member.Status.Conditions
	status := registrarStatus{ObservedGeneration: member.Generation, FederationVersion: r.Version}
	status.Conditions = statuses.Conditions(before, member.Generation, now, map[string]statuses.Outcome{
		v1alpha1.ConditionAccepted: statuses.Accepted(plan.ValidateMember(member)),
		v1alpha1.MemberRegistered:  registered(member, now),
	})
	old := meta.FindStatusCondition(before, v1alpha1.MemberRegistered)
	if conditionsUnchanged(before, status.Conditions) && member.Status.ObservedGeneration == member.Generation && member.Status.FederationVersion == r.Version {
		return nil
	}
	if err := apply.Status(ctx, r.Client, RegistrarManager, member, &status, ""); err != nil {
		return client.IgnoreNotFound(err)
	}
	apply.Transitions(r.Recorder, member, before, status.Conditions, v1alpha1.ConditionAccepted)
	current := meta.FindStatusCondition(status.Conditions, v1alpha1.MemberRegistered)
	if old != nil && old.Reason != current.Reason && current.Reason == v1alpha1.ReasonInvitationExpired {
		r.Recorder.Eventf(member, nil, corev1.EventTypeWarning, v1alpha1.ReasonInvitationExpired, "Invite", "%s", current.Message)
	}
	return nil
}

// conditionsUnchanged is whether before has every one of the conditions already.
func conditionsUnchanged(before, conditions []metav1.Condition) bool {
	for _, condition := range conditions {
		old := meta.FindStatusCondition(before, condition.Type)
		if old == nil || !equality.Semantic.DeepEqual(*old, condition) {
			return false
		}
	}
	return true
}
