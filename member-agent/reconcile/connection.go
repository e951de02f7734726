package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// connection writes the connection profile of the organization's applications, from verified records and the channels
// that its own peers have joined. Nothing of the plan waits for it.
func (r *Reconciler) connection(ctx context.Context, p *planProgress, reader client.Reader, records map[string]v1alpha1.Record) error {
	if _, ok := records[r.Member]; !ok {
		return nil
	}
	key := client.ObjectKey{Namespace: p.plan.Spec.Namespace, Name: v1alpha1.ConnectionConfigMap}
	var before corev1.ConfigMap
	if err := reader.Get(ctx, key, &before); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read ConfigMap %s: %w", key.Name, err)
	}
	known, missing := knownMembers(p.plan, records)
	if len(droppedMembers(&before, p.plan, known)) > 0 {
		// The record has not arrived in this process yet, or is invalid: keep what was verified before.
		return nil
	}
	files, err := r.Driver.Connection(p.plan, joinedChannels(r.Planners.Describe(p.plan), p.status.Channels), records)
	if err != nil {
		return err
	}
	return r.Applier.Apply(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: key.Name,
			Labels: map[string]string{
				v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelMember: r.Member, v1alpha1.LabelConsortium: p.plan.Spec.Consortium,
			},
			Annotations: map[string]string{
				v1alpha1.AnnotationConnectionMembers: strings.Join(known, ","),
				v1alpha1.AnnotationConnectionMissing: strings.Join(missing, ","),
			},
		},
		Data: files,
	})
}

// knownMembers are the plan's members whose checked records are at hand, and those whose are not, sorted.
func knownMembers(plan *v1alpha1.MemberPlan, records map[string]v1alpha1.Record) (known, missing []string) {
	for _, m := range plan.Spec.Members {
		if _, ok := records[m.Name]; ok {
			known = append(known, m.Name)
		} else {
			missing = append(missing, m.Name)
		}
	}
	slices.Sort(known)
	slices.Sort(missing)
	return known, missing
}

// droppedMembers are the plan's members that the existing ConfigMap has and the next one would not.
func droppedMembers(before *corev1.ConfigMap, plan *v1alpha1.MemberPlan, known []string) []string {
	var names []string
	for name := range strings.SplitSeq(before.Annotations[v1alpha1.AnnotationConnectionMembers], ",") {
		inPlan := slices.ContainsFunc(plan.Spec.Members, func(m v1alpha1.PlanMember) bool { return m.Name == name })
		if inPlan && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	return names
}

// joinedChannels are the channels that nodes of the member's own hold.
func joinedChannels(description ledger.Description, channels []v1alpha1.PlanChannelStatus) []string {
	var names []string
	for _, c := range channels {
		if len(description.Holders(c)) > 0 {
			names = append(names, c.Name)
		}
	}
	return names
}
