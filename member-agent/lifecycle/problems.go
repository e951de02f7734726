package lifecycle

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// grave are the reasons of a channel that mend themselves never: somebody has handed out something wrong.
var grave = []string{
	v1alpha1.ReasonGenesisDiffers, v1alpha1.ReasonGenesisRefused, v1alpha1.ReasonLedgerDiffers, v1alpha1.ReasonChannelDiffers,
}

// problems shows to monitoring which channels need a person, and why.
type problems struct{ channels *prometheus.GaugeVec }

func newProblems(r prometheus.Registerer) *problems {
	p := &problems{channels: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hanse_channel_problem",
		Help: "1 for a channel with a problem that needs a person: GenesisDiffers, GenesisRefused, LedgerDiffers or ChannelDiffers.",
	}, []string{"consortium", "channel", "reason"})}
	if r != nil {
		r.MustRegister(p.channels)
	}
	return p
}

// set takes over what is wrong with a plan's channels.
func (p *problems) set(consortium string, channels []v1alpha1.PlanChannelStatus) {
	p.forget(consortium)
	for _, c := range channels {
		if slices.Contains(grave, c.Reason) {
			p.channels.WithLabelValues(consortium, c.Name, c.Reason).Set(1)
		}
	}
}

func (p *problems) forget(consortium string) {
	p.channels.DeletePartialMatch(prometheus.Labels{"consortium": consortium})
}

// tellOf shows the channels' problems as metrics, and those that are new as events.
func (r *Reconciler) tellOf(plan *v1alpha1.MemberPlan, before, now []v1alpha1.PlanChannelStatus) {
	r.problems.set(plan.Name, now)
	if r.Events == nil {
		return
	}
	for _, c := range newProblemsOf(before, now) {
		r.Events.Eventf(plan, nil, corev1.EventTypeWarning, c.Reason, "Join", "channel %s: %s", c.Name, c.Message)
	}
}

// newProblemsOf are the channels that have a problem now which they did not have before.
func newProblemsOf(before, now []v1alpha1.PlanChannelStatus) []v1alpha1.PlanChannelStatus {
	var found []v1alpha1.PlanChannelStatus
	for _, c := range now {
		if slices.Contains(grave, c.Reason) && !slices.ContainsFunc(before, func(b v1alpha1.PlanChannelStatus) bool {
			return b.Name == c.Name && b.Reason == c.Reason
		}) {
			found = append(found, c)
		}
	}
	return found
}
