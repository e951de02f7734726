package reconcile

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// validateWorkloads marks the workloads that the organization does not allow, because of their images or because the
// contract is not approved: a node's pod mounts that node's keys, and the plan that names its image comes from the host.
func (r *Reconciler) validateWorkloads(plan *v1alpha1.MemberPlan, workloads []ledger.Workload) []ledger.Workload {
	validated := slices.Clone(workloads)
	for i := range validated {
		w := &validated[i]
		for _, c := range slices.Concat(w.Pod.InitContainers, w.Pod.Containers) {
			if w.Refused = r.validateImage(plan.Spec.Member, c, w.Node != nil); w.Refused != "" {
				break
			}
		}
		if w.Refused == "" && w.Contract != nil {
			w.Refused, _ = r.approvalProblem(plan, *w.Contract)
		}
	}
	return validated
}

// validateDeclaredImages says which of the images that the consortium declares for its nodes the organization does not
// allow. A rollout gives them to one node after the other; this check fails before the first one.
func (r *Reconciler) validateDeclaredImages(plan *v1alpha1.MemberPlan, roots map[ledger.Authority][]string) string {
	workloads, err := r.Driver.Workloads(declared(plan), roots)
	if err != nil {
		return "" // reported for the plan itself
	}
	workloads = slices.DeleteFunc(workloads, func(w ledger.Workload) bool { return w.Node == nil })
	for _, w := range r.validateWorkloads(plan, workloads) {
		if w.Refused != "" {
			return w.Refused
		}
	}
	return ""
}

// declared is the plan after the rollout: every node has the images that the consortium declares, and none its own.
func declared(plan *v1alpha1.MemberPlan) *v1alpha1.MemberPlan {
	rolled := *plan
	rolled.Spec.Nodes = slices.Clone(plan.Spec.Nodes)
	for i := range rolled.Spec.Nodes {
		rolled.Spec.Nodes[i].Image, rolled.Spec.Nodes[i].StateDatabaseImage = "", ""
	}
	return &rolled
}

func (r *Reconciler) validateImage(member string, c corev1.Container, node bool) string {
	switch {
	case !node:
		return r.validateContractImage(member, c.Image)
	case r.NodeImages.Allows(c.Image):
		return ""
	}
	return fmt.Sprintf("%s does not allow the image %.256s for its nodes: add it to policy.nodeImages of the member-agent chart, or change the Consortium", member, c.Image)
}

func (r *Reconciler) validateContractImage(member, image string) string {
	if r.ContractImages.Allows(image) {
		return ""
	}
	return fmt.Sprintf("%s does not allow the image %.256s for contracts: add it to policy.contractImages of the member-agent chart, or change the Contract", member, image)
}

// withoutForbiddenContracts is a copy of the plan without the contracts that the organization does not allow, which are
// neither installed nor approved; with the status of those on the member's own channels, and the most severe reason.
func (r *Reconciler) withoutForbiddenContracts(plan *v1alpha1.MemberPlan) (copied *v1alpha1.MemberPlan, refused []v1alpha1.PlanContractStatus, reason string) {
	copied = plan.DeepCopy()
	copied.Spec.Contracts = nil
	for _, c := range plan.Spec.Contracts {
		why, because := r.validateContractImage(plan.Spec.Member, c.Image), v1alpha1.ReasonImageNotAllowed
		if why == "" {
			why, because = r.approvalProblem(plan, c)
		}
		if why == "" {
			copied.Spec.Contracts = append(copied.Spec.Contracts, c)
			continue
		}
		if isChannelMember(plan, c.Channel) {
			status := previousContractStatus(plan, c)
			status.Reason, status.Message = because, why
			refused = append(refused, status)
			if reason != v1alpha1.ReasonImageNotAllowed {
				reason = because
			}
		}
	}
	return copied, refused, reason
}

func isChannelMember(plan *v1alpha1.MemberPlan, channel string) bool {
	return slices.ContainsFunc(plan.Spec.Channels, func(c v1alpha1.PlanChannel) bool {
		return c.Name == channel && slices.Contains(c.Members, plan.Spec.Member)
	})
}

// previousContractStatus is the contract's status as it was reported last.
func previousContractStatus(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) v1alpha1.PlanContractStatus {
	for _, status := range plan.Status.Contracts {
		if status.Name == contract.Name && status.Channel == contract.Channel {
			return status
		}
	}
	return v1alpha1.PlanContractStatus{Name: contract.Name, Channel: contract.Channel}
}

// formatRefused lists the contracts that are not allowed before the message about the others.
func formatRefused(refused []v1alpha1.PlanContractStatus, others string) string {
	var parts []string
	for _, c := range refused {
		parts = append(parts, fmt.Sprintf("contract %s on %s: %s", c.Name, c.Channel, c.Message))
	}
	if others != "" {
		parts = append(parts, others)
	}
	return strings.Join(parts, "; ")
}
