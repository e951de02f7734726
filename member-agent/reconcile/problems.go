package reconcile

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// permanentReasons of a channel need a person: somebody has distributed wrong data.
var permanentReasons = []string{
	v1alpha1.ReasonGenesisDiffers, v1alpha1.ReasonGenesisRefused, v1alpha1.ReasonLedgerDiffers, v1alpha1.ReasonChannelDiffers,
}

// problemGauge is the metric of the channels that need a person, and why.
type problemGauge struct{ channels *prometheus.GaugeVec }

func newProblemGauge(r prometheus.Registerer) *problemGauge {
	p := &problemGauge{channels: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hanse_channel_problem",
		Help: "1 for a channel with a problem that needs a person: GenesisDiffers, GenesisRefused, LedgerDiffers or ChannelDiffers.",
	}, []string{"consortium", "channel", "reason"})}
	if r != nil {
		r.MustRegister(p.channels)
	}
	return p
}

// set replaces the series of a plan's channels.
func (p *problemGauge) set(consortium string, channels []v1alpha1.PlanChannelStatus) {
	p.forget(consortium)
	for _, c := range channels {
		if slices.Contains(permanentReasons, c.Reason) {
			p.channels.WithLabelValues(consortium, c.Name, c.Reason).Set(1)
		}
	}
}

func (p *problemGauge) forget(consortium string) {
	p.channels.DeletePartialMatch(prometheus.Labels{"consortium": consortium})
}

// reportProblems exports the channels' problems as metrics, and records events for new ones.
func (r *Reconciler) reportProblems(plan *v1alpha1.MemberPlan, before, now []v1alpha1.PlanChannelStatus) {
	r.problems.set(plan.Name, now)
	if r.Events == nil {
		return
	}
	for _, c := range addedProblems(before, now) {
		r.Events.Eventf(plan, nil, corev1.EventTypeWarning, c.Reason, "Join", "channel %s: %s", c.Name, c.Message)
	}
}

// addedProblems are the channels with a new problem.
func addedProblems(before, now []v1alpha1.PlanChannelStatus) []v1alpha1.PlanChannelStatus {
	var found []v1alpha1.PlanChannelStatus
	for _, c := range now {
		if slices.Contains(permanentReasons, c.Reason) && !slices.ContainsFunc(before, func(b v1alpha1.PlanChannelStatus) bool {
			return b.Name == c.Name && b.Reason == c.Reason
		}) {
			found = append(found, c)
		}
	}
	return found
}
