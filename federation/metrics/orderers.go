package metrics

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// orderers counts nodes that order.
type orderers struct{ declared, ready int }

// memberOrderers are the counts of a Consortium's Members that run any.
type memberOrderers map[string]orderers

// of adds up the nodes that order a channel: those of its own members that run any, or else of all.
func (m memberOrderers) of(channel []string) orderers {
	var inside, all orderers
	for member, count := range m {
		all.declared += count.declared
		all.ready += count.ready
		if slices.Contains(channel, member) {
			inside.declared += count.declared
			inside.ready += count.ready
		}
	}
	if inside.declared == 0 {
		return all
	}
	return inside
}

// onlineMembers are the Members whose agents' reports are current.
func onlineMembers(members []v1alpha1.Member) map[string]bool {
	online := map[string]bool{}
	for i := range members {
		online[members[i].Name] = meta.IsStatusConditionTrue(members[i].Status.Conditions, v1alpha1.MemberOnline)
	}
	return online
}

// orderersOf counts the nodes that order, by Consortium and Member. What a Member that is not online has reported does not
// count as ready.
func orderersOf(plans []v1alpha1.MemberPlan, online map[string]bool, planners ledger.Planners) map[types.NamespacedName]memberOrderers {
	found := map[types.NamespacedName]memberOrderers{}
	for i := range plans {
		plan := &plans[i]
		if plan.Spec.Retire {
			continue
		}
		description := planners.Describe(plan)
		var count orderers
		for _, node := range plan.Spec.Nodes {
			if role, ok := description.Role(node.Role); !ok || !role.Orders {
				continue
			}
			count.declared++
			if online[plan.Spec.Member] && isReady(plan.Status.Nodes, node.Name) {
				count.ready++
			}
		}
		if count.declared == 0 {
			continue
		}
		key := types.NamespacedName{Namespace: plan.Spec.ConsortiumNamespace, Name: plan.Spec.Consortium}
		if found[key] == nil {
			found[key] = memberOrderers{}
		}
		found[key][plan.Spec.Member] = count
	}
	return found
}

func isReady(nodes []v1alpha1.PlanNodeStatus, name string) bool {
	return slices.ContainsFunc(nodes, func(n v1alpha1.PlanNodeStatus) bool { return n.Name == name && n.Ready })
}
