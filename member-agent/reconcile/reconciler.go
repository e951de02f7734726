package reconcile

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
	"github.com/hanse-io/hanse/internal/apply"
	"github.com/hanse-io/hanse/member-agent/nodes"
)

// errRequeue requests an immediate requeue: what was read is out of date.
var errRequeue = errors.New("overtaken")

// requeueNow is the delay of an immediate requeue.
const requeueNow = 50 * time.Millisecond

// Reconciler reconciles the mirrored plans.
type Reconciler struct {
	Options
	base                             context.Context
	caches                           *namespaceCaches
	ledgers                          *ledgerController
	organization                     atomic.Pointer[organization]
	planTrigger, organizationTrigger *trigger
	problems                         *problemGauge
	lineWatch                        lineWatch
	statusWrites                     statusWrites
}

// Reconcile reconciles one plan.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var plan v1alpha1.MemberPlan
	if err := r.Cache.Get(ctx, req.NamespacedName, &plan); err != nil {
		if apierrors.IsNotFound(err) {
			r.closePlan(req.Name)
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, err
	}
	p := newProgress(&plan)
	p.setCredentialShared(r.Reporter.CredentialShared())
	err := r.run(ctx, p)
	if errors.Is(err, errRequeue) || apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: requeueNow}, nil
	}
	if apierrors.IsNotFound(err) {
		// Something that was applied before was deleted, the namespace perhaps.
		r.Applier.Forget(plan.Spec.Namespace)
	}
	later, failed := r.write(ctx, p)
	if apierrors.IsConflict(failed) {
		// The plan has been updated, or the cache does not have the last status yet.
		return reconcile.Result{RequeueAfter: requeueNow}, nil
	}
	if failed != nil {
		return reconcile.Result{}, errors.Join(err, failed)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if later > 0 {
		return reconcile.Result{RequeueAfter: later}, nil
	}
	return reconcile.Result{RequeueAfter: wait.Jitter(p.requeueAfter(r.Now()), jitter)}, nil
}

// run runs the phases. Each reports its state in a condition; errors are for what failed on the way.
func (r *Reconciler) run(ctx context.Context, p *planProgress) error {
	reason, why := validatePlan(p.plan, r.Member)
	if why == "" {
		reason, why = v1alpha1.ReasonMSPIDDiffers, validateMSPID(p.plan, r.MSPID)
	}
	if why != "" {
		p.setFalse(v1alpha1.PlanTrusted, reason, why)
		p.finalizeConditions()
		return nil
	}
	if p.plan.Spec.Retire {
		return r.retire(ctx, p)
	}
	meta.RemoveStatusCondition(&p.status.Conditions, v1alpha1.PlanRetired)
	defer p.finalizeConditions()
	org := r.organization.Load()
	if _, err := r.pinRoots(ctx, p, org.root); err != nil {
		return err
	}
	reader, err := r.ensureNamespace(ctx, p)
	if reader == nil {
		return err
	}
	// From here on a failure does not stop the following phases: without a certificate authority running nodes are still
	// healed, and an object that this cluster rejects blocks no other object and no channel.
	issued, failed := r.identities(ctx, p, reader, org)
	if errors.Is(failed, errRequeue) {
		return failed
	}
	running, stopped := r.nodes(ctx, p, reader, issued)
	err = errors.Join(err, failed, stopped)
	records, failed := r.discover(ctx, p, issued, org)
	err = errors.Join(err, failed, r.lines(ctx, p))
	r.ledger(p, reader, records, running)
	return errors.Join(err, r.connection(ctx, p, reader, records))
}

// ensureNamespace creates the consortium's namespace and opens a cache of it. The reader is nil until the cache has synced.
func (r *Reconciler) ensureNamespace(ctx context.Context, p *planProgress) (client.Reader, error) {
	name := p.plan.Spec.Namespace
	reader, opening := r.caches.reader(name)
	if reader != nil {
		return reader, r.applyAll(ctx, nodes.Namespace(p.plan, r.Agent))
	}
	if opening {
		return nil, nil
	}
	var existing corev1.Namespace
	err := r.Own.Get(ctx, client.ObjectKey{Name: name}, &existing)
	if err == nil && !nodes.IsManaged(p.plan, &existing) {
		p.setFalse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonNameTaken, fmt.Sprintf(
			"the namespace %s exists in this cluster and is not Hanse's for this consortium: delete it, or label it %s=%s and %s=%s if it may be used",
			name, v1alpha1.LabelManagedBy, v1alpha1.ManagedBy, v1alpha1.LabelConsortium, p.plan.Spec.Consortium))
		return nil, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	if err := r.applyAll(ctx, nodes.Namespace(p.plan, r.Agent)); err != nil {
		p.setFalse(v1alpha1.PlanIdentitiesReady, v1alpha1.ReasonFailed, fmt.Sprintf("the namespace %s cannot be made: %v", name, err))
		return nil, err
	}
	if err := waitForAccess(ctx, r.Own, name); err != nil {
		return nil, err
	}
	return nil, r.caches.Open(r.base, name, func() { r.planTrigger.Enqueue(p.plan.Name) })
}

func (r *Reconciler) applyAll(ctx context.Context, objects []client.Object) error {
	for _, obj := range objects {
		if err := r.Applier.Apply(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

// retire removes the plan's workloads and ends the work on its ledger and closes its cache.
func (r *Reconciler) retire(ctx context.Context, p *planProgress) error {
	r.ledgers.stop(p.plan.Name)
	if meta.IsStatusConditionTrue(p.status.Conditions, v1alpha1.PlanRetired) && p.status.Phase == "Retired" {
		return r.forgetRetired(ctx, p.plan.Spec.Consortium)
	}
	retired, err := r.Nodes.Retire(ctx, p.plan)
	switch {
	case err != nil:
		p.setRetired(false, err.Error())
		return err
	case !retired.Done:
		p.setRetired(false, "removing the nodes: "+retired.Waiting)
		return nil
	}
	if err := errors.Join(r.Ledger.Forget(ctx, p.plan), r.Statements.Forget(ctx, p.plan.Spec.Consortium)); err != nil {
		p.setRetired(false, err.Error())
		return err
	}
	r.closePlan(p.plan.Name)
	r.Applier.Forget(p.plan.Spec.Namespace)
	message := "removed"
	if retired.Kept > 0 {
		message = fmt.Sprintf("removed; %d volumes and the certificates kept; delete namespace %s to remove them", retired.Kept, p.plan.Spec.Namespace)
	}
	p.setRetired(true, message)
	return nil
}

// closePlan closes the worker and the cache of a deleted plan.
func (r *Reconciler) closePlan(plan string) {
	r.ledgers.stop(plan)
	r.caches.Close(v1alpha1.ConsortiumNamespace(plan))
	r.planTrigger.forget(plan)
	r.problems.forget(plan)
	r.statusWrites.forget(plan)
}

// write updates the status if it has changed. later is the time after which it is to be written, if that can wait.
func (r *Reconciler) write(ctx context.Context, p *planProgress) (later time.Duration, err error) {
	// Long messages of nodes or contracts must not make the status too large to be written.
	p.status.Shorten()
	if equality.Semantic.DeepEqual(p.status, p.plan.Status) && len(p.plan.Undecodable) == 0 {
		return 0, nil
	}
	if later := r.statusWrites.wait(p.plan.Name, &p.plan.Status, &p.status, r.Now()); later > 0 && len(p.plan.Undecodable) == 0 {
		return later, nil
	}
	if err := r.writeStatus(ctx, p); err != nil {
		return 0, err
	}
	r.statusWrites.done(p.plan.Name, r.Now())
	return 0, nil
}

func (r *Reconciler) writeStatus(ctx context.Context, p *planProgress) error {
	if !p.plan.Undecodable.InStatus() {
		// The plan was not decoded completely: only its status is written.
		statusOnly := &v1alpha1.MemberPlan{Status: p.status}
		statusOnly.Name, statusOnly.Namespace = p.plan.Name, p.plan.Namespace
		_, err := apply.OwnStatus(ctx, r.Own, Owner, statusOnly)
		return client.IgnoreNotFound(err)
	}
	next := p.plan.DeepCopy()
	next.Status = p.status
	return client.IgnoreNotFound(r.Own.Status().Update(ctx, next, client.FieldOwner(Owner)))
}
