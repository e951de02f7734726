package host

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/internal/apply"
)

// rejections are the host's plans that are not mirrored, and why. The organization sees each as an event and a metric,
// the host as a condition without internal details.
type rejections struct {
	gauge *prometheus.GaugeVec
	// noticeLimiter bounds the number of events and log lines: the host decides how many plans there are.
	noticeLimiter *rate.Limiter

	mu     sync.Mutex
	byPlan map[string]rejection
}

type rejection struct{ reason, why string }

func newRejections(r prometheus.Registerer) *rejections {
	all := &rejections{
		gauge: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hanse_plans_refused", Help: "Plans of the host that this organization does not take over, by reason.",
		}, []string{"reason"}),
		noticeLimiter: rate.NewLimiter(rate.Every(10*time.Second), 20),
		byPlan:        map[string]rejection{},
	}
	if r != nil {
		r.MustRegister(all.gauge)
	}
	return all
}

// add stores a rejection, and says whether it is new.
func (r *rejections) add(name string, what rejection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byPlan[name] == what {
		return false
	}
	if len(r.byPlan) >= maxNames {
		r.byPlan = map[string]rejection{}
	}
	r.byPlan[name] = what
	r.updateGauge()
	return true
}

// forget removes a plan that was mirrored or deleted.
func (r *rejections) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.byPlan[name]; known {
		delete(r.byPlan, name)
		r.updateGauge()
	}
}

func (r *rejections) updateGauge() {
	r.gauge.Reset()
	for _, what := range r.byPlan {
		r.gauge.WithLabelValues(what.reason).Inc()
	}
}

// reportLocally logs a rejected plan and records an event, and says whether the rejection is new.
func (m *mirror) reportLocally(name string, what rejection) bool {
	l := m.link
	news := l.rejections.add(name, what)
	if news && l.rejections.noticeLimiter.Allow() {
		l.log.Info("plan rejected", "plan", name, "reason", what.reason, "why", what.why)
		l.event(corev1.EventTypeWarning, what.reason, "the host's plan "+name+" was rejected: "+what.why)
	}
	return news
}

// reportToHost sets the condition of a rejected plan on the host.
func (m *mirror) reportToHost(ctx context.Context, name string, plan *v1alpha1.MemberPlan, what rejection) error {
	l := m.link
	condition := metav1.Condition{
		Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: what.reason, Message: hostMessage(what.reason, what.why),
		LastTransitionTime: metav1.NewTime(l.options.Now()),
	}
	if plan != nil {
		condition.ObservedGeneration = plan.Generation
		was := meta.FindStatusCondition(plan.Status.Conditions, condition.Type)
		if was != nil && was.Status == condition.Status && was.Reason == condition.Reason && was.Message == condition.Message {
			return nil
		}
	}
	statusOnly := &v1alpha1.MemberPlan{Status: v1alpha1.MemberPlanStatus{Conditions: []metav1.Condition{condition}}}
	statusOnly.Name, statusOnly.Namespace = name, v1alpha1.MemberNamespace(l.options.Member)
	_, err := apply.OwnStatus(ctx, m.conn.client, ReportOwner+"-refusal", statusOnly)
	if err != nil {
		m.conn.checkUnauthorized(err)
	}
	return err
}

// hostMessage is the message of a rejection for the host: with what is wrong where that is the host's own, a value that cannot be
// decoded or a definition.
func hostMessage(reason, why string) string {
	if reason == v1alpha1.ReasonUndecodable || reason == v1alpha1.ReasonConsortiumDefinition {
		return v1alpha1.Shorten(why + ": keeping the last valid plan")
	}
	return genericMessage(reason)
}

// genericMessage is what the host's operators need to know to fix the plan, with no details of the organization's cluster.
func genericMessage(reason string) string {
	switch reason {
	case v1alpha1.ReasonWrongMember:
		return "plan rejected: it is not for this member"
	case v1alpha1.ReasonLimitExceeded:
		return "the plan asks for more than this organization allows (policy.limits of its member-agent chart): ask for less, or ask the organization"
	case v1alpha1.ReasonInvalid:
		return "plan rejected: invalid names; contact the organization"
	}
	return "the member's own cluster rejects the plan"
}
