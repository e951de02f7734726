package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// rolloutTarget is what a Consortium declares for its nodes: a rollout to anything else is out of date.
func rolloutTarget(in Input) v1alpha1.RolloutTarget {
	target := in.Planner.Target(in.Consortium.Spec.Ledger)
	hash, any := sha256.New(), false
	for i := range in.Consortium.Spec.Members {
		for _, n := range in.Planner.Nodes(in.Consortium, &in.Consortium.Spec.Members[i]) {
			if settings := n.Template().Settings(); settings != "" {
				fmt.Fprintln(hash, n.Name, settings)
				any = true
			}
		}
	}
	if any {
		target.Settings = hex.EncodeToString(hash.Sum(nil)[:8])
	}
	return target
}

// refusedPlan is what the agent says of the very plan that has the node's new template if its organization's limits do not
// allow it; empty otherwise. The plan before goes on to be carried out there.
func refusedPlan(in Input, n *rolloutNode, to v1alpha1.NodeTemplate) string {
	p := in.Plans[n.member]
	if p == nil || !n.planned.Equal(to) {
		return ""
	}
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.PlanMirrored)
	if c == nil || c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonLimitExceeded || c.ObservedGeneration < p.Generation {
		return ""
	}
	return n.member + ": " + c.Message
}

// RolledOut counts the nodes that are ready with what is declared, and all nodes. what is it that is being rolled out, for
// messages; empty when nothing is.
func RolledOut(in Input, rollout *v1alpha1.RolloutStatus) (ready, nodes int, what string) {
	all := rolloutNodes(in)
	for i := range all {
		n := &all[i]
		nodes++
		if n.exists && n.planned.Equal(n.want) && (n.stable() || n.report.Image == "" && n.report.Ready) {
			ready++
		}
	}
	if rollout == nil {
		return ready, nodes, ""
	}
	if rollout.Node != "" {
		return ready, nodes, rollout.From.Difference(rollout.To)
	}
	for i := range all {
		if n := &all[i]; !n.done() {
			return ready, nodes, n.planned.Difference(n.want)
		}
	}
	return ready, nodes, "what is declared"
}
