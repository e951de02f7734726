package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/member-agent/ledger"
)

// judge marks the workloads that the organization does not allow, by their images or because nobody has approved the
// contract: a node's pod mounts that node's keys, and the plan that names its image comes from the host.
func (r *Reconciler) judge(plan *v1alpha1.MemberPlan, workloads []ledger.Workload) []ledger.Workload {
	judged := slices.Clone(workloads)
	for i := range judged {
		w := &judged[i]
		for _, c := range slices.Concat(w.Pod.InitContainers, w.Pod.Containers) {
			if w.Refused = r.refuseImage(plan.Spec.Member, c, w.Node != nil); w.Refused != "" {
				break
			}
		}
		if w.Refused == "" && w.Contract != nil {
			w.Refused, _ = r.unapproved(plan, *w.Contract)
		}
	}
	return judged
}

// refuseDeclared says which image the organization does not allow of those that the consortium declares for its nodes. While
// they are rolled out, the plan gives them to one node after the other; the organization's word is asked for before that.
func (r *Reconciler) refuseDeclared(plan *v1alpha1.MemberPlan, roots map[ledger.Authority][]string) string {
	workloads, err := r.Engine.Workloads(declared(plan), roots)
	if err != nil {
		return "" // which is said of the plan as it is
	}
	workloads = slices.DeleteFunc(workloads, func(w ledger.Workload) bool { return w.Node == nil })
	for _, w := range r.judge(plan, workloads) {
		if w.Refused != "" {
			return w.Refused
		}
	}
	return ""
}

// declared is the plan as it will be when every node has the images that the consortium declares: no node has one of its own.
func declared(plan *v1alpha1.MemberPlan) *v1alpha1.MemberPlan {
	rolled := *plan
	rolled.Spec.Nodes = slices.Clone(plan.Spec.Nodes)
	for i := range rolled.Spec.Nodes {
		rolled.Spec.Nodes[i].Image, rolled.Spec.Nodes[i].StateDatabaseImage = "", ""
	}
	return &rolled
}

func (r *Reconciler) refuseImage(member string, c corev1.Container, node bool) string {
	switch {
	case !node:
		return r.refuseContract(member, c.Image)
	case r.NodeImages.Allows(c.Image):
		return ""
	}
	return fmt.Sprintf("%s does not allow the image %.256s for its nodes: add it to policy.nodeImages of the member-agent chart, or change the Consortium", member, c.Image)
}

func (r *Reconciler) refuseContract(member, image string) string {
	if r.ContractImages.Allows(image) {
		return ""
	}
	return fmt.Sprintf("%s does not allow the image %.256s for contracts: add it to policy.contractImages of the member-agent chart, or change the Contract", member, image)
}

// allowed is a copy of the plan without the contracts that the organization does not let run, which it therefore
// neither installs nor approves; what there is to say of those that would concern it, and the weightiest reason.
func (r *Reconciler) allowed(plan *v1alpha1.MemberPlan) (copied *v1alpha1.MemberPlan, refused []v1alpha1.PlanContractStatus, reason string) {
	copied = plan.DeepCopy()
	copied.Spec.Contracts = nil
	for _, c := range plan.Spec.Contracts {
		why, because := r.refuseContract(plan.Spec.Member, c.Image), v1alpha1.ReasonImageNotAllowed
		if why == "" {
			why, because = r.unapproved(plan, c)
		}
		if why == "" {
			copied.Spec.Contracts = append(copied.Spec.Contracts, c)
			continue
		}
		if takesPart(plan, c.Channel) {
			status := known(plan, c)
			status.Reason, status.Message = because, why
			refused = append(refused, status)
			if reason != v1alpha1.ReasonImageNotAllowed {
				reason = because
			}
		}
	}
	return copied, refused, reason
}

func takesPart(plan *v1alpha1.MemberPlan, channel string) bool {
	return slices.ContainsFunc(plan.Spec.Channels, func(c v1alpha1.PlanChannel) bool {
		return c.Name == channel && slices.Contains(c.Members, plan.Spec.Member)
	})
}

// known is what was reached with a contract before.
func known(plan *v1alpha1.MemberPlan, contract v1alpha1.PlanContract) v1alpha1.PlanContractStatus {
	for _, status := range plan.Status.Contracts {
		if status.Name == contract.Name && status.Channel == contract.Channel {
			return status
		}
	}
	return v1alpha1.PlanContractStatus{Name: contract.Name, Channel: contract.Channel}
}

// sayRefused puts what was refused before what the other contracts wait for.
func sayRefused(refused []v1alpha1.PlanContractStatus, others string) string {
	var parts []string
	for _, c := range refused {
		parts = append(parts, fmt.Sprintf("contract %s on %s: %s", c.Name, c.Channel, c.Message))
	}
	if others != "" {
		parts = append(parts, others)
	}
	return strings.Join(parts, "; ")
}
