package status

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// stalledReasons are those that only somebody's act ends: what contradicts something else, and what an organization refuses.
// What is missing is not among them: whoever applies several objects at once may create it a moment later. Nor is what is
// tried again and may succeed, nor an approval that somebody has yet to give.
var stalledReasons = []string{
	v1alpha1.ReasonInvalid, v1alpha1.ReasonNameTaken, v1alpha1.ReasonAddressTaken, v1alpha1.ReasonPlanFull, v1alpha1.ReasonUndecodable,
	v1alpha1.ReasonRolloutFailed, v1alpha1.ReasonImageNotAllowed, v1alpha1.ReasonRejected, v1alpha1.ReasonDigestRequired,
	v1alpha1.ReasonDefinitionDiffers, v1alpha1.ReasonGenesisRefused, v1alpha1.ReasonGenesisDiffers, v1alpha1.ReasonLedgerDiffers,
	v1alpha1.ReasonChannelDiffers,
}

// withStalled adds the condition Stalled if one of the others is False for such a reason: Ready's, if it is, or else that of
// the first by name.
func withStalled(outcomes map[string]Outcome) map[string]Outcome {
	order := append([]string{v1alpha1.ConditionReady}, slices.Sorted(maps.Keys(outcomes))...)
	for _, kind := range order {
		if o := outcomes[kind]; o.Status == metav1.ConditionFalse && slices.Contains(stalledReasons, o.Reason) {
			outcomes[v1alpha1.ConditionStalled] = Outcome{metav1.ConditionTrue, o.Reason, o.Message}
			return outcomes
		}
	}
	return outcomes
}
