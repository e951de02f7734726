package lifecycle

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
	"github.com/hanse-io/hanse/member-agent/signature"
)

// wrongMember says why a plan is none of this agent's business; empty when it is.
func wrongMember(plan *v1alpha1.MemberPlan, member string) string {
	switch {
	case plan.Spec.Member != member:
		return fmt.Sprintf("the plan is for member %s and this is the agent of %s: nothing of it is carried out", plan.Spec.Member, member)
	case plan.Spec.Consortium != plan.Name:
		return fmt.Sprintf("the plan is named %s and is about consortium %s: nothing of it is carried out", plan.Name, plan.Spec.Consortium)
	case plan.Spec.Namespace != v1alpha1.ConsortiumNamespace(plan.Spec.Consortium) || plan.Spec.Consortium == "system":
		return fmt.Sprintf("the plan wants to use the namespace %s, which is not that of consortium %s: nothing of it is carried out", plan.Spec.Namespace, plan.Spec.Consortium)
	}
	return ""
}

// refusal says why a plan is not carried out, and under which reason; empty when it is.
func refusal(plan *v1alpha1.MemberPlan, member string) (reason, why string) {
	if !plan.Undecodable.InStatus() {
		return v1alpha1.ReasonUndecodable, fmt.Sprintf("%s: nothing of the plan is carried out, and what runs goes on, until the host sends it anew", plan.Undecodable)
	}
	if why := wrongMember(plan, member); why != "" {
		return v1alpha1.ReasonWrongMember, why
	}
	if why := malformed(&plan.Spec); why != "" {
		return v1alpha1.ReasonInvalid, why + ": no host that works as it should makes such a plan, and nothing of it is carried out"
	}
	return "", ""
}

// wrongMSPID says why a plan does not fit the organization's name on the ledger, which its own chart tells; empty if it
// does.
func wrongMSPID(plan *v1alpha1.MemberPlan, own string) string {
	own = cmp.Or(own, v1alpha1.MSPID(plan.Spec.Member))
	if told := plan.Spec.MSPID(plan.Spec.Member); told != own {
		return fmt.Sprintf("the plan calls %s %.64s on the ledger, and its own chart %s: nothing of it is carried out; if the host is right, and no ledger has been joined, set member.mspID of the member-agent chart",
			plan.Spec.Member, told, own)
	}
	return ""
}

// Check says why a plan is not one that the agent of a member carries out, and under which reason; empty when it is. What
// does not pass is not even mirrored.
func Check(plan *v1alpha1.MemberPlan, member string) (reason, why string) {
	return refusal(plan, member)
}

// pins reads the pinned roots.
func pins(ctx context.Context, reader client.Reader, namespace string) (signature.Pins, *corev1.ConfigMap, error) {
	var cm corev1.ConfigMap
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: PinsConfigMap}, &cm)
	if apierrors.IsNotFound(err) {
		return signature.Pins{}, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the pinned roots: %w", err)
	}
	return signature.Pins(cm.Data), &cm, nil
}

// pin keeps the roots that were seen for the first time or renewed. A conflict means that another plan has pinned in between; the
// caller comes again.
func (r *Reconciler) pin(ctx context.Context, next signature.Pins, current *corev1.ConfigMap) error {
	if current == nil {
		err := r.Own.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: r.Namespace, Name: PinsConfigMap,
				Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
			},
			Data: next,
		}, client.FieldOwner(Owner))
		if apierrors.IsAlreadyExists(err) {
			return errAgain
		}
		return err
	}
	updated := current.DeepCopy()
	updated.Data = next
	err := r.Own.Update(ctx, updated, client.FieldOwner(Owner))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return errAgain
	}
	return err
}

// firstOf lists some names, and says how many more there are.
func firstOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// trust pins the roots that are new or renewed, and returns those that hold. Own root is what this cluster itself says it is,
// whatever the plan says.
func (r *Reconciler) trust(ctx context.Context, p *progress, own string) (signature.Pins, error) {
	known, cm, err := pins(ctx, r.Cache, r.Namespace)
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
		if err := r.pin(ctx, compared.Pins, cm); err != nil {
			return nil, err
		}
	}
	switch {
	case len(compared.Changed) > 0:
		p.refuse(v1alpha1.PlanTrusted, v1alpha1.ReasonRootChanged, fmt.Sprintf(
			"the plan gives %s another root than the one that was pinned, and the pinned one goes on to hold: ask that organization, not the host, whether it has a new root; if so, delete its entry from ConfigMap %s in %s",
			firstOf(compared.Changed), PinsConfigMap, r.Namespace))
	case len(compared.Full) > 0:
		p.refuse(v1alpha1.PlanTrusted, v1alpha1.ReasonLimitExceeded, fmt.Sprintf(
			"there is no room left to pin the root of %s, and nothing is trusted to it: ConfigMap %s in %s has %d pins, and takes %d bytes; delete the entries of members that are in no consortium any more",
			firstOf(compared.Full), PinsConfigMap, r.Namespace, len(compared.Pins), signature.MaxPinsBytes))
	case len(compared.Unreadable) > 0:
		p.refuse(v1alpha1.PlanTrusted, v1alpha1.ReasonInvalid, fmt.Sprintf(
			"the plan's root of %s is no certificate, or has more than %d bytes", firstOf(compared.Unreadable), signature.MaxRootBytes))
	default:
		p.done(v1alpha1.PlanTrusted, "every root is the one that was pinned")
	}
	trusted := signature.Pins{}
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
