package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/apply"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

// errAgain asks for another turn at once: what was read has been overtaken.
var errAgain = errors.New("overtaken")

// again is how long to wait before another turn at once.
const again = 50 * time.Millisecond

// Reconciler carries out the mirrored plans.
type Reconciler struct {
	Options
	base         context.Context
	rooms        *rooms
	workers      *workers
	organization atomic.Pointer[organization]
	plans, house *bell
	problems     *problems
}

// Reconcile takes one plan one turn further.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var plan v1alpha1.MemberPlan
	if err := r.Cache.Get(ctx, req.NamespacedName, &plan); err != nil {
		if apierrors.IsNotFound(err) {
			r.leave(req.Name)
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, err
	}
	p := newProgress(&plan)
	p.shared(r.Reporter.CredentialShared())
	err := r.run(ctx, p)
	if errors.Is(err, errAgain) || apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: again}, nil
	}
	if apierrors.IsNotFound(err) {
		// Something that was applied before is gone, the namespace perhaps.
		r.Applier.Forget(plan.Spec.Namespace)
	}
	failed := r.write(ctx, p)
	if apierrors.IsConflict(failed) {
		// The plan has been written anew, or the status of the turn before has not come back yet.
		return reconcile.Result{RequeueAfter: again}, nil
	}
	if failed != nil {
		return reconcile.Result{}, errors.Join(err, failed)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: wait.Jitter(p.patience(r.Now()), spread)}, nil
}

// run goes through the phases. Each says in a condition how far it is; an error is for what went wrong on the way.
func (r *Reconciler) run(ctx context.Context, p *progress) error {
	reason, why := refusal(p.plan, r.Member)
	if why == "" {
		reason, why = v1alpha1.ReasonMSPIDDiffers, wrongMSPID(p.plan, r.MSPID)
	}
	if why != "" {
		p.refuse(v1alpha1.PlanTrusted, reason, why)
		p.settle()
		return nil
	}
	if p.plan.Spec.Retire {
		return r.retire(ctx, p)
	}
	meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.PlanRetired)
	defer p.settle()
	org := r.organization.Load()
	if _, err := r.trust(ctx, p, org.root); err != nil {
		return err
	}
	reader, err := r.namespace(ctx, p)
	if reader == nil {
		return err
	}
	// From here on nothing that fails keeps what comes after it from going on: a certificate authority that is away keeps
	// nobody from healing what runs, and one object that this cluster rejects holds up no other, and no channel.
	issued, failed := r.identities(ctx, p, reader, org)
	if errors.Is(failed, errAgain) {
		return failed
	}
	running, stopped := r.nodes(ctx, p, reader, issued)
	err = errors.Join(err, failed, stopped)
	records, failed := r.discover(p, issued, org)
	err = errors.Join(err, failed, r.lines(ctx, p))
	r.ledger(p, reader, records, running)
	return errors.Join(err, r.connection(ctx, p, reader, records))
}

// namespace makes the consortium's namespace and opens a cache of it. The reader is nil until that is filled.
func (r *Reconciler) namespace(ctx context.Context, p *progress) (client.Reader, error) {
	name := p.plan.Spec.Namespace
	reader, opening := r.rooms.reader(name)
	if reader != nil {
		return reader, r.applyAll(ctx, nodes.Namespace(p.plan, r.Agent))
	}
	if opening {
		return nil, nil
	}
	var there corev1.Namespace
	err := r.Own.Get(ctx, client.ObjectKey{Name: name}, &there)
	if err == nil && !nodes.IsManaged(p.plan, &there) {
		p.refuse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonNameTaken, fmt.Sprintf(
			"the namespace %s exists in this cluster and is not Hanse's for this consortium: delete it, or label it %s=%s and %s=%s if it may be used",
			name, v1alpha1.LabelManagedBy, v1alpha1.ManagedBy, v1alpha1.LabelConsortium, p.plan.Spec.Consortium))
		return nil, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if err := r.applyAll(ctx, nodes.Namespace(p.plan, r.Agent)); err != nil {
		p.refuse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonFailed, fmt.Sprintf("the namespace %s cannot be made: %v", name, err))
		return nil, err
	}
	if err := granted(ctx, r.Own, name); err != nil {
		return nil, err
	}
	return nil, r.rooms.enter(r.base, name, func() { r.plans.ring(p.plan.Name) })
}

func (r *Reconciler) applyAll(ctx context.Context, objects []client.Object) error {
	for _, obj := range objects {
		if err := r.Applier.Apply(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

// retire takes everything down and closes what was open for the plan.
func (r *Reconciler) retire(ctx context.Context, p *progress) error {
	r.workers.stop(p.plan.Name)
	if meta.IsStatusConditionTrue(p.status.Conditions, v1alpha1.PlanRetired) && p.status.Phase == "Retired" {
		return nil
	}
	retired, err := r.Nodes.Retire(ctx, p.plan)
	switch {
	case err != nil:
		p.retired(false, err.Error())
		return err
	case !retired.Done:
		p.retired(false, "taking the nodes down: "+retired.Waiting)
		return nil
	}
	if err := r.Ledger.Forget(ctx, p.plan); err != nil {
		p.retired(false, err.Error())
		return err
	}
	r.leave(p.plan.Name)
	r.Applier.Forget(p.plan.Spec.Namespace)
	message := "everything is gone"
	if retired.Kept > 0 {
		message = fmt.Sprintf("everything is gone but %d volumes and the certificates in namespace %s, which are kept: delete the namespace to be rid of them", retired.Kept, p.plan.Spec.Namespace)
	}
	p.retired(true, message)
	return nil
}

// leave closes what is open for a plan that is no more.
func (r *Reconciler) leave(plan string) {
	r.workers.stop(plan)
	r.rooms.close(v1alpha1.ConsortiumNamespace(plan))
	r.plans.forget(plan)
	r.problems.forget(plan)
}

// write updates the status if it has changed.
func (r *Reconciler) write(ctx context.Context, p *progress) error {
	// What one node or contract has to say must not keep the whole status from being written.
	p.status.Shorten()
	if equality.Semantic.DeepEqual(p.status, p.plan.Status) && len(p.plan.Undecodable) == 0 {
		return nil
	}
	if !p.plan.Undecodable.InStatus() {
		// The rest of it was not read, and is not written.
		said := &v1alpha1.MemberPlan{Status: p.status}
		said.Name, said.Namespace = p.plan.Name, p.plan.Namespace
		return client.IgnoreNotFound(apply.Status(ctx, r.Own, said, Owner))
	}
	next := p.plan.DeepCopy()
	next.Status = p.status
	return client.IgnoreNotFound(r.Own.Status().Update(ctx, next, client.FieldOwner(Owner)))
}
