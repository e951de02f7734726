// Package line aggregates the reports of a Line's two ends into its status. It must know nothing of Consortia, and writes
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
	"github.com/hanse-io/hanse/federation/snapshot"
	statuses "github.com/hanse-io/hanse/federation/status"
	"github.com/hanse-io/hanse/internal/apply"
)

// FieldManager owns the Lines' statuses.
const FieldManager = "hanse-line"

// Reconciler writes the status of one Line at a time.
type Reconciler struct {
	Client   client.Client
	Snapshot snapshot.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// SetupWithManager watches the Lines and the Members that report on them.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, options controller.Options) error {
	return ctrl.NewControllerManagedBy(mgr).Named("line").
		WithOptions(options).
		Watches(&v1alpha1.Line{}, snapshot.EnqueueDebounced(r.withDuplicates), snapshot.SpecChanged()).
		Watches(&v1alpha1.Member{}, snapshot.EnqueueDebounced(r.linesOfMember)).
		Complete(r)
}

// Reconcile writes one Line's status if it has changed.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	line := &v1alpha1.Line{}
	if err := r.Client.Get(ctx, req.NamespacedName, line); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	names := make([]string, 0, len(line.Spec.Ends))
	for _, end := range line.Spec.Ends {
		names = append(names, end.Member)
	}
	members, err := r.Snapshot.Members(ctx, names)
	if err != nil || !line.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, err
	}
	duplicates, err := r.Snapshot.LinesSharingAddresses(ctx, line)
	if err != nil {
		return ctrl.Result{}, err
	}
	status := statuses.Line(line, duplicates, members, r.Clock.Now())
	return apply.Report(ctx, r.Client, r.Recorder, FieldManager, line, line.Status, status)
}

// withDuplicates are a Line and those between the same addresses, of which one at most is accepted.
func (r *Reconciler) withDuplicates(ctx context.Context, object client.Object) []types.NamespacedName {
	keys := []types.NamespacedName{client.ObjectKeyFromObject(object)}
	line, ok := object.(*v1alpha1.Line)
	if !ok {
		return keys
	}
	duplicates, err := r.Snapshot.LinesSharingAddresses(ctx, line)
	if err != nil {
		return keys
	}
	for i := range duplicates {
		if duplicates[i].Name != line.Name {
			keys = append(keys, client.ObjectKeyFromObject(&duplicates[i]))
		}
	}
	return keys
}

// linesOfMember are the Lines with an end at a Member.
func (r *Reconciler) linesOfMember(ctx context.Context, member client.Object) []types.NamespacedName {
	lines, err := r.Snapshot.LinesOf(ctx, member.GetName())
	if err != nil {
		return nil
	}
	keys := make([]types.NamespacedName, 0, len(lines))
	for i := range lines {
		keys = append(keys, client.ObjectKeyFromObject(&lines[i]))
	}
	return keys
}
