package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// rolloutPart is the progress of a rollout to the nodes.
func rolloutPart(in plan.Input, rollout *v1alpha1.RolloutStatus) part {
	ready, nodes, what := plan.RolledOut(in, rollout)
	disallowed := plan.DisallowedImages(in)
	p := part{condition: v1alpha1.ConsortiumRolledOut, ready: ready, all: nodes, noun: "nodes with what is declared"}
	switch {
	case rollout == nil:
	case rollout.Failed:
		p.progress.addFailed("rolling out %s: %s did not become ready with it (%s) and goes back to %s; no other node is given it: declare something else, or what was declared before",
			what, rollout.Node, rollout.Message, rollout.To.Difference(rollout.From))
	case len(disallowed) > 0:
		p.progress.addFailed("rolling out %s: no other node is given it while an organization does not allow it: %s", what, disallowedText(disallowed))
	case rollout.Node == "":
		p.progress.addPending("the rollout of "+what, "go on", rollout.Message)
	default:
		p.progress.addPending(rollout.Node, "become ready with "+what, rollout.Message)
	}
	return p
}

// disallowedText names every Member that does not allow an image.
func disallowedText(disallowed []plan.DisallowedImage) string {
	found := make([]fault, 0, len(disallowed))
	for _, r := range disallowed {
		found = append(found, fault{r.Member, v1alpha1.ReasonImageNotAllowed, r.Message})
	}
	return faultText(found)
}

// rolloutOutcome is the condition RolledOut.
func rolloutOutcome(p part, rollout *v1alpha1.RolloutStatus) Outcome {
	switch {
	case rollout == nil:
		return Outcome{metav1.ConditionTrue, v1alpha1.ReasonReady, "every node has the images and settings that are declared"}
	case rollout.Failed:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed, p.progress.outstanding()}
	case len(p.progress.failed) > 0:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonImageNotAllowed, p.progress.outstanding()}
	}
	return Outcome{metav1.ConditionFalse, v1alpha1.ReasonProgressing, fmt.Sprintf("rolling out: %d/%d nodes; %s", p.ready, p.all, p.progress.outstanding())}
}
