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
	"github.com/hanse-io/hanse/member-agent/apply"
)

// refusals are the plans of the host that are not taken over, and why. The organization is told of each by an event and a
// metric, the host by a condition that does not say more than it has to know.
type refusals struct {
	gauge *prometheus.GaugeVec
	// notices bounds how many events and log lines there are, for the host decides on how many plans there are.
	notices *rate.Limiter

	mu    sync.Mutex
	known map[string]refusal
}

type refusal struct{ reason, why string }

func newRefusals(r prometheus.Registerer) *refusals {
	all := &refusals{
		gauge: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hanse_plans_refused", Help: "Plans of the host that this organization does not take over, by reason.",
		}, []string{"reason"}),
		notices: rate.NewLimiter(rate.Every(10*time.Second), 20),
		known:   map[string]refusal{},
	}
	if r != nil {
		r.MustRegister(all.gauge)
	}
	return all
}

// note remembers a refusal, and says whether it is a new one.
func (r *refusals) note(name string, what refusal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[name] == what {
		return false
	}
	if len(r.known) >= maxNames {
		r.known = map[string]refusal{}
	}
	r.known[name] = what
	r.count()
	return true
}

// forget is told of a plan that was taken over, or that is no more.
func (r *refusals) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.known[name]; known {
		delete(r.known, name)
		r.count()
	}
}

func (r *refusals) count() {
	r.gauge.Reset()
	for _, what := range r.known {
		r.gauge.WithLabelValues(what.reason).Inc()
	}
}

// tell tells the organization that a plan is not taken over, and says whether that is news.
func (m *mirror) tell(name string, what refusal) bool {
	l := m.link
	news := l.refusals.note(name, what)
	if news && l.refusals.notices.Allow() {
		l.log.Info("a plan of the host is refused", "plan", name, "reason", what.reason, "why", what.why)
		l.event(corev1.EventTypeWarning, what.reason, "the host's plan "+name+" is refused: "+what.why)
	}
	return news
}

// refuse tells the host that a plan is not taken over.
func (m *mirror) refuse(ctx context.Context, name string, plan *v1alpha1.MemberPlan, what refusal) error {
	l := m.link
	condition := metav1.Condition{
		Type: v1alpha1.PlanMirrored, Status: metav1.ConditionFalse, Reason: what.reason, Message: forHost(what.reason, what.why),
		LastTransitionTime: metav1.NewTime(l.options.Now()),
	}
	if plan != nil {
		condition.ObservedGeneration = plan.Generation
		was := meta.FindStatusCondition(plan.Status.Conditions, condition.Type)
		if was != nil && was.Status == condition.Status && was.Reason == condition.Reason && was.Message == condition.Message {
			return nil
		}
	}
	said := &v1alpha1.MemberPlan{Status: v1alpha1.MemberPlanStatus{Conditions: []metav1.Condition{condition}}}
	said.Name, said.Namespace = name, v1alpha1.MemberNamespace(l.options.Member)
	err := apply.Status(ctx, m.conn.client, said, ReportOwner+"-refusal")
	if err != nil {
		m.conn.notice(err)
	}
	return err
}

// forHost is what the host is told of a refusal: of a value of its own that cannot be read, which one it is.
func forHost(reason, why string) string {
	if reason == v1alpha1.ReasonUndecodable {
		return v1alpha1.Shorten(why + ": the last plan that could be read goes on to hold")
	}
	return coarse(reason)
}

// coarse is what the host is told of a refusal: what its operators need to know to mend the plan, and nothing of what the
// organization's cluster is like.
func coarse(reason string) string {
	switch reason {
	case v1alpha1.ReasonWrongMember:
		return "the plan is not for this member, and nothing of it is carried out"
	case v1alpha1.ReasonLimitExceeded:
		return "the plan asks for more than this organization allows (policy.limits of its member-agent chart): ask for less, or ask the organization"
	case v1alpha1.ReasonInvalid:
		return "the plan is not one that a host makes, and nothing of it is carried out"
	}
	return "the member's own cluster does not take the plan"
}
