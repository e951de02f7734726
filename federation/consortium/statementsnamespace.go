package consortium

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
	"github.com/hanse-io/hanse/internal/apply"
)

// namespaceUnusable says why the namespace that there is cannot be the one for statements, and what to do.
type namespaceUnusable string

func (e namespaceUnusable) Error() string { return string(e) }

// namespaceRetry is how long after that the namespace is looked at again: no event tells of those that are not Hanse's.
const namespaceRetry = 10 * time.Second

// appliedAccess remembers what was applied for each Consortium, so that a reconcile in which nothing has changed reads and
// writes none of it. It may be lost.
type appliedAccess struct {
	mu      sync.Mutex
	applied map[types.NamespacedName]statementAccess
	// forgotten counts calls of forget: what was being applied at one is not remembered.
	forgotten int
}

// is whether that was applied; if not, the mark is for set.
func (a *appliedAccess) is(key types.NamespacedName, access statementAccess) (applied bool, mark int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return equality.Semantic.DeepEqual(a.applied[key], access), a.forgotten
}

// set remembers what was applied, unless something was forgotten since the mark.
func (a *appliedAccess) set(key types.NamespacedName, access statementAccess, mark int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.forgotten != mark {
		return
	}
	if a.applied == nil {
		a.applied = map[types.NamespacedName]statementAccess{}
	}
	a.applied[key] = access
}

func (a *appliedAccess) forget(key types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.applied, key)
	a.forgotten++
}

// forgetAccess maps a namespace or a RoleBinding that was changed or deleted to the Consortium whose it is, which is then
// compared with what is to be. Quotas have no informer: one changed by hand is restored with the next event, or the resync.
func (r *Reconciler) forgetAccess(_ context.Context, object client.Object) []types.NamespacedName {
	labels := object.GetLabels()
	key := types.NamespacedName{Namespace: labels[v1alpha1.LabelConsortiumNamespace], Name: labels[v1alpha1.LabelConsortium]}
	if key.Namespace == "" || key.Name == "" {
		return nil
	}
	r.access.forget(key)
	return []types.NamespacedName{key}
}

// existing passes updates and deletions. Objects are created by this controller.
var existing = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

// ensureAccess gives the Members of a Consortium a namespace for their statements, and access to it.
func (r *Reconciler) ensureAccess(ctx context.Context, in plan.Input) error {
	key, access := client.ObjectKeyFromObject(in.Consortium), statementsAccess(in)
	applied, mark := r.access.is(key, access)
	if applied {
		return nil
	}
	if err := r.ensureNamespace(ctx, in.Consortium, access.Namespace); err != nil {
		return err
	}
	if err := r.ensureBinding(ctx, access.Binding); err != nil {
		return fmt.Errorf("give the members access to namespace %s: %w", access.Namespace.Name, err)
	}
	if err := apply.ForceApply(ctx, r.Client, FieldManager, access.Quota); err != nil {
		return fmt.Errorf("limit what namespace %s holds: %w", access.Namespace.Name, err)
	}
	r.access.set(key, access, mark)
	return nil
}

// ensureNamespace creates the namespace. One of that name that was not made for this Consortium is left as it is: it may hold
// what the Members must not read, or be open to others.
func (r *Reconciler) ensureNamespace(ctx context.Context, c *v1alpha1.Consortium, want *corev1.Namespace) error {
	have := &corev1.Namespace{}
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(want), have) // the cache has Hanse's own only
	if apierrors.IsNotFound(err) {
		if err = r.Client.Create(ctx, want.DeepCopy(), client.FieldOwner(FieldManager)); err == nil {
			return nil
		}
		if apierrors.IsAlreadyExists(err) {
			err = r.Live.Get(ctx, client.ObjectKeyFromObject(want), have)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("namespace %s, for the members' statements: %w", want.Name, err)
	case !belongsTo(have, c):
		return namespaceUnusable(fmt.Sprintf("there is a namespace %[1]s already, which is not this consortium's, where its members' statements would go: delete it if nobody needs it (kubectl delete namespace %[1]s), or declare the consortium under another name", want.Name))
	case !have.DeletionTimestamp.IsZero():
		return namespaceUnusable(fmt.Sprintf("namespace %[1]s, for the members' statements, is being deleted: if it stays, its status says why (kubectl get namespace %[1]s -o yaml)", want.Name))
	}
	return apply.ApplyIfChanged(ctx, r.Client, FieldManager, want)
}

// ensureBinding applies the binding unless the cache has it. Its subjects are compared as a whole: one that has none any more
// has to lose those that it had.
func (r *Reconciler) ensureBinding(ctx context.Context, want *rbacv1.RoleBinding) error {
	have := &rbacv1.RoleBinding{}
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(want), have)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err == nil && equality.Semantic.DeepEqual(have.Subjects, want.Subjects) {
		return apply.ApplyIfChanged(ctx, r.Client, FieldManager, want)
	}
	return apply.ForceApply(ctx, r.Client, FieldManager, want)
}

// deleteNamespace deletes the namespace for a Consortium's statements with all of them, if it is this Consortium's.
func (r *Reconciler) deleteNamespace(ctx context.Context, c *v1alpha1.Consortium) error {
	namespace := &corev1.Namespace{}
	err := r.Live.Get(ctx, types.NamespacedName{Name: v1alpha1.StatementsNamespace(c.Name)}, namespace)
	if err != nil || !belongsTo(namespace, c) {
		return client.IgnoreNotFound(err)
	}
	uid := namespace.UID
	err = r.Client.Delete(ctx, namespace, client.Preconditions{UID: &uid})
	r.access.forget(client.ObjectKeyFromObject(c))
	return client.IgnoreNotFound(err)
}
