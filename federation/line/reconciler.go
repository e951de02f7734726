// Package line folds what the two ends of a Line say of it into its status. It must know nothing of Consortia, and writes
// nothing but that status.
package line

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/apply"
	"github.com/hanse-io/hanse/federation/fold"
	"github.com/hanse-io/hanse/federation/gather"
)

// FieldManager owns the Lines' statuses.
const FieldManager = "hanse-line"

// Reconciler reports on one Line at a time.
type Reconciler struct {
	Client   client.Client
	Gather   gather.Gatherer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches the Lines and the Members that report on them.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("line").
		WithOptions(options).
		Watches(&v1alpha1.Line{}, gather.Later(r.andTwins), gather.SpecChanged()).
		Watches(&v1alpha1.Member{}, gather.Later(r.ofMember)).
		Complete(r)
}

// Reconcile writes one Line's status if it says anything new.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	line := &v1alpha1.Line{}
	if err := r.Client.Get(ctx, req.NamespacedName, line); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	names := make([]string, 0, len(line.Spec.Ends))
	for _, end := range line.Spec.Ends {
		names = append(names, end.Member)
	}
	members, err := r.Gather.Members(ctx, names)
	if err != nil || !line.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, err
	}
	twins, err := r.Gather.LinesLike(ctx, line)
	if err != nil {
		return ctrl.Result{}, err
	}
	status := fold.Line(line, twins, members, r.Clock.Now())
	return apply.Report(ctx, r.Client, r.Recorder, FieldManager, line, said(line.Status), said(status))
}

// andTwins are a Line and those that lead between the same addresses, of which one at most is accepted.
func (r *Reconciler) andTwins(ctx context.Context, object client.Object) []types.NamespacedName {
	keys := []types.NamespacedName{client.ObjectKeyFromObject(object)}
	line, ok := object.(*v1alpha1.Line)
	if !ok {
		return keys
	}
	twins, err := r.Gather.LinesLike(ctx, line)
	if err != nil {
		return keys
	}
	for i := range twins {
		if twins[i].Name != line.Name {
			keys = append(keys, client.ObjectKeyFromObject(&twins[i]))
		}
	}
	return keys
}

// ofMember are the Lines that end at a Member.
func (r *Reconciler) ofMember(ctx context.Context, member client.Object) []types.NamespacedName {
	lines, err := r.Gather.LinesOf(ctx, member.GetName())
	if err != nil {
		return nil
	}
	keys := make([]types.NamespacedName, 0, len(lines))
	for i := range lines {
		keys = append(keys, client.ObjectKeyFromObject(&lines[i]))
	}
	return keys
}

func said(s v1alpha1.LineStatus) apply.Said[v1alpha1.LineStatus] {
	return apply.Said[v1alpha1.LineStatus]{Status: s, Conditions: s.Conditions}
}
