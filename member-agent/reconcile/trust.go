package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/statement"
)

// validateTarget says why a plan is not for this agent; empty if it is.
func validateTarget(plan *v1alpha1.MemberPlan, member string) string {
	switch {
	case plan.Spec.Member != member:
		return fmt.Sprintf("plan rejected: it is for member %s and this is the agent of %s", plan.Spec.Member, member)
	case plan.Spec.Consortium != plan.Name:
		return fmt.Sprintf("plan rejected: its name is %s and its consortium %s", plan.Name, plan.Spec.Consortium)
	case plan.Spec.Namespace != v1alpha1.ConsortiumNamespace(plan.Spec.Consortium) || plan.Spec.Consortium == "system":
		return fmt.Sprintf("plan rejected: namespace %s is not that of consortium %s", plan.Spec.Namespace, plan.Spec.Consortium)
	}
	return ""
}

// validatePlan says why a plan is rejected, with the condition reason; empty if it is valid.
func validatePlan(plan *v1alpha1.MemberPlan, member string) (reason, why string) {
	if !plan.Undecodable.InStatus() {
		return v1alpha1.ReasonUndecodable, fmt.Sprintf("plan rejected: %s; running workloads stay as they are until the host sends a valid plan", plan.Undecodable)
	}
	if why := validateTarget(plan, member); why != "" {
		return v1alpha1.ReasonWrongMember, why
	}
	if why := validateSpec(&plan.Spec); why != "" {
		return v1alpha1.ReasonInvalid, "plan rejected: " + why + "; contact the host's operators"
	}
	return "", ""
}

// validateMSPID says why a plan's MSP ID differs from that of the organization's own chart; empty if it does not.
func validateMSPID(plan *v1alpha1.MemberPlan, own string) string {
	own = cmp.Or(own, v1alpha1.MSPID(plan.Spec.Member))
	if planned := plan.Spec.MSPID(plan.Spec.Member); planned != own {
		return fmt.Sprintf("plan rejected: it has MSP ID %[2]s for %[1]s, and the chart of the member %[3]s; if the host is right, and no ledger has been joined, set member.mspID of the member-agent chart",
			plan.Spec.Member, planned, own)
	}
	return ""
}

// Check says why the agent of a member rejects a plan, with the condition reason; empty if the plan is valid. A rejected
// plan is not mirrored.
func Check(plan *v1alpha1.MemberPlan, member string) (reason, why string) {
	return validatePlan(plan, member)
}

// readPins reads the pinned roots.
func readPins(ctx context.Context, reader client.Reader, namespace string) (statement.Pins, *corev1.ConfigMap, error) {
	var cm corev1.ConfigMap
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: PinsConfigMap}, &cm)
	if apierrors.IsNotFound(err) {
		return statement.Pins{}, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the pinned roots: %w", err)
	}
	return statement.Pins(cm.Data), &cm, nil
}

// writePins stores the roots that are new or renewed. A conflict means that another plan has pinned in between; the caller
// requeues.
func (r *Reconciler) writePins(ctx context.Context, next statement.Pins, current *corev1.ConfigMap) error {
	if current == nil {
		err := r.Own.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: r.Namespace, Name: PinsConfigMap,
				Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
			},
			Data: next,
		}, client.FieldOwner(Owner))
		if apierrors.IsAlreadyExists(err) {
			return errRequeue
		}
		return err
	}
	updated := current.DeepCopy()
	updated.Data = next
	err := r.Own.Update(ctx, updated, client.FieldOwner(Owner))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return errRequeue
	}
	return err
}

// firstAndCount lists the first five names and the number of the others.
func firstAndCount(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// pinRoots pins the roots that are new or renewed, and returns the trusted ones. The own root is this cluster's, whatever
// the plan says.
func (r *Reconciler) pinRoots(ctx context.Context, p *planProgress, own string) (statement.Pins, error) {
	known, cm, err := readPins(ctx, r.Cache, r.Namespace)
	if err != nil {
		return nil, err
	}
	var others []v1alpha1.PlanMember
	for _, m := range p.plan.Spec.Members {
		if m.Name != r.Member {
			others = append(others, m)
		}
	}
	compared := known.Compare(others)
	if compared.News() {
		if err := r.writePins(ctx, compared.Pins, cm); err != nil {
			return nil, err
		}
	}
	switch {
	case len(compared.Changed) > 0:
		p.setFalse(v1alpha1.PlanTrusted, v1alpha1.ReasonRootChanged, fmt.Sprintf(
			"the plan's root of %s is not the pinned one; keeping the pinned root: ask that organization, not the host, whether it has a new root; if so, delete its entry from ConfigMap %s in %s",
			firstAndCount(compared.Changed), PinsConfigMap, r.Namespace))
	case len(compared.Full) > 0:
		p.setFalse(v1alpha1.PlanTrusted, v1alpha1.ReasonLimitExceeded, fmt.Sprintf(
			"the root of %s cannot be pinned, and it is not trusted: ConfigMap %s in %s has %d pins and reached its limit of %d bytes; delete the entries of members that are in no consortium any more",
			firstAndCount(compared.Full), PinsConfigMap, r.Namespace, len(compared.Pins), statement.MaxPinsBytes))
	case len(compared.Unreadable) > 0:
		p.setFalse(v1alpha1.PlanTrusted, v1alpha1.ReasonInvalid, fmt.Sprintf(
			"the plan's root of %s is not a certificate, or has more than %d bytes", firstAndCount(compared.Unreadable), statement.MaxRootBytes))
	default:
		p.setTrue(v1alpha1.PlanTrusted, "all roots match the pinned ones")
	}
	trusted := statement.Pins{}
	for _, m := range p.plan.Spec.Members {
		if root := compared.Pins[m.Name]; root != "" && m.Name != r.Member {
			trusted[m.Name] = root
		}
	}
	if own != "" {
		trusted[r.Member] = own
	}
	return trusted, nil
}
