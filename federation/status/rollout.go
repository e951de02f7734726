package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// rolloutPart is the progress of a rollout of the nodes' images.
func rolloutPart(in plan.Input, rollout *v1alpha1.RolloutStatus) part {
	ready, nodes, what := plan.RolledOut(in, rollout)
	disallowed := plan.DisallowedImages(in)
	p := part{condition: v1alpha1.ConsortiumRolledOut, ready: ready, all: nodes, noun: "nodes with the declared images"}
	switch {
	case rollout == nil:
	case rollout.Failed:
		p.progress.addFailed("rolling out image %s: %s did not become ready with it (%s) and goes back to %s; no other node is given it: declare another image, or the old one, in spec.ledger",
			what, rollout.Node, rollout.Message, rollout.From.Image)
	case len(disallowed) > 0:
		p.progress.addFailed("rolling out image %s: no other node is given it while an organization does not allow it: %s", what, disallowedText(disallowed))
	case rollout.Node == "":
		p.progress.addPending("the rollout of image "+what, "go on", rollout.Message)
	default:
		p.progress.addPending(rollout.Node, fmt.Sprintf("become ready with image %s", what), rollout.Message)
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
		return Outcome{metav1.ConditionTrue, v1alpha1.ReasonReady, "no image is being rolled out"}
	case rollout.Failed:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonRolloutFailed, p.progress.outstanding()}
	case len(p.progress.failed) > 0:
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonImageNotAllowed, p.progress.outstanding()}
	}
	return Outcome{metav1.ConditionFalse, v1alpha1.ReasonProgressing, fmt.Sprintf("rolling out: %d/%d nodes; %s", p.ready, p.all, p.progress.outstanding())}
}
