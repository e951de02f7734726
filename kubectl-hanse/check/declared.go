package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// judge says what a condition that is to be True means: nothing if it is.
func judge(o object, c metav1.Condition) []Result {
	if c.Status == metav1.ConditionTrue {
		return nil
	}
	text := fmt.Sprintf("%s: %s is %s, %s: %s", o.name(), c.Type, c.Status, c.Reason, c.Message)
	if c.Status == metav1.ConditionUnknown || !isFault(c.Reason) {
		return []Result{warning(remedy(c.Reason), "%s", text)}
	}
	return []Result{failed(remedy(c.Reason), "%s", text)}
}

// isFault is whether a reason says that somebody has to do something, and not merely that it is not done yet.
func isFault(reason string) bool {
	return !slices.Contains([]string{"", v1alpha1.ReasonReady, v1alpha1.ReasonProgressing, v1alpha1.ReasonWaiting,
		v1alpha1.ReasonUnreachable, v1alpha1.ReasonRetiring, v1alpha1.ReasonInvited}, reason)
}

// declared says what of the Consortia, Channels and Contracts is not in effect.
func declared(f Facts) []Result {
	var results []Result
	count := 0
	for _, o := range f.objects() {
		if !slices.Contains([]string{"Consortium", "Channel", "Contract"}, o.kind) {
			continue
		}
		count++
		results = append(results, notReady(o)...)
	}
	if len(results) == 0 {
		return []Result{ok("%d consortia, channels and contracts are ready", count)}
	}
	return results
}

// notReady says why an object is not ready. Accepted comes before Ready: it says why.
func notReady(o object) []Result {
	if accepted := meta.FindStatusCondition(o.conditions, v1alpha1.ConditionAccepted); accepted != nil && accepted.Status == metav1.ConditionFalse {
		return judge(o, *accepted)
	}
	ready := meta.FindStatusCondition(o.conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return []Result{warning("does the controller run? See components", "%s has no status yet", o.name())}
	case ready.ObservedGeneration != o.meta.Generation && o.kind != "MemberPlan":
		return []Result{warning("if it stays so: does the controller run? See components", "%s was changed, and its status is about what it was before", o.name())}
	}
	return judge(o, *ready)
}

// linesUp says which lines do not work.
func linesUp(f Facts) []Result {
	var results []Result
	count := 0
	for _, o := range f.objects() {
		if o.kind == "Line" {
			count++
			results = append(results, notReady(o)...)
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d lines are up", count)}
	}
	return results
}

// ownLines says to whom this organization has no line that works.
func ownLines(f Facts) []Result {
	var results []Result
	count := 0
	for _, plan := range f.Plans {
		if plan.Namespace != f.Namespace {
			continue
		}
		for _, line := range plan.Status.Lines {
			count++
			if line.State == v1alpha1.LineUp && line.Reason == "" {
				continue
			}
			results = append(results, failed(remedy(string(line.Reason)), "consortium %s: the line %s to %s is %s: %s", plan.Name, cmp.Or(line.Line, "that is declared"), line.Member, line.State, cmp.Or(string(line.Reason), "no reason given")))
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d ways to other members work", count)}
	}
	return results
}

// plansDone says which phases of this organization's own plans are not done.
func plansDone(f Facts) []Result {
	var results []Result
	count := 0
	for _, plan := range f.Plans {
		if plan.Namespace != f.Namespace {
			continue
		}
		count++
		o := object{kind: "MemberPlan", meta: plan.ObjectMeta}
		if refused := plan.Annotations[v1alpha1.AnnotationRefused]; refused != "" {
			results = append(results, failed(remedy(strings.Split(refused, ":")[0]), "consortium %s: a newer plan of the host is refused here: %s", plan.Name, refused))
		}
		for _, c := range plan.Status.Conditions {
			switch c.Type {
			case v1alpha1.PlanCredentialShared:
				if c.Status == metav1.ConditionTrue {
					results = append(results, failed(remedy(c.Reason), "%s: %s", o.name(), c.Message))
				}
			case v1alpha1.ConditionReady, v1alpha1.PlanRetired: // the phases below say it better
			default:
				results = append(results, judge(o, c)...)
			}
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d plans are carried out", count)}
	}
	return results
}

// decodable says which objects hold values that cannot be read.
func decodable(f Facts) []Result {
	var results []Result
	all := f.objects()
	for _, o := range all {
		if len(o.undecodable) > 0 {
			results = append(results, failed("kubectl edit it, and correct that field: docs/troubleshooting.md, Refused at once", "%s: %s", o.name(), o.undecodable))
		}
	}
	if len(results) == 0 {
		return []Result{ok("all values of %d objects can be read", len(all))}
	}
	return results
}

// membersOnline says whose agent is away, or whose credential somebody else uses.
func membersOnline(f Facts) []Result {
	var results []Result
	for _, m := range f.Members {
		o := object{kind: "Member", meta: m.ObjectMeta}
		if shared := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.MemberCredentialShared); shared != nil && shared.Status == metav1.ConditionTrue {
			results = append(results, failed("tell the organization, and kubectl hanse invite "+m.Name+" --replace: the old key opens nothing from then on", "%s: %s", o.name(), shared.Message))
		}
		registered := meta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.MemberRegistered)
		online := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.MemberOnline)
		if registered && online != nil && online.Status != metav1.ConditionTrue {
			results = append(results, failed("in its own cluster: kubectl hanse check; its ledger goes on meanwhile", "%s: %s is %s, %s: %s", o.name(), online.Type, online.Status, online.Reason, online.Message))
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d members, no agent that was registered is away", len(f.Members))}
	}
	return results
}

// invitations says which of them wait or have expired.
func invitations(f Facts) []Result {
	var results []Result
	for _, m := range f.Members {
		registered := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.MemberRegistered)
		switch {
		case registered != nil && registered.Status == metav1.ConditionTrue:
		case m.Spec.Invitation == "":
			results = append(results, warning("kubectl hanse invite "+m.Name, "%s has not been invited", m.Name))
		case m.Spec.InvitationExpires != nil && f.Now.After(m.Spec.InvitationExpires.Time):
			results = append(results, failed("kubectl hanse invite "+m.Name, "%s's invitation expired at %s without being used", m.Name, m.Spec.InvitationExpires.Format(time.RFC3339)))
		default:
			results = append(results, warning("have the organization run the command that was printed; if it has: kubectl -n hanse-system logs deployment/member-agent, there", "%s's invitation has not been used yet", m.Name))
		}
	}
	if len(results) == 0 {
		return []Result{ok("none is pending")}
	}
	return results
}

// leasesFresh says which agents have not renewed their Lease in time. Half of its duration more is for a clock that differs.
func leasesFresh(f Facts) []Result {
	var results []Result
	count := 0
	for _, m := range f.Members {
		if !meta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.MemberRegistered) {
			continue
		}
		renewed, limit := time.Time{}, time.Duration(0)
		for _, l := range f.Leases {
			if l.Namespace == v1alpha1.MemberNamespace(m.Name) && l.Name == v1alpha1.AgentLease && l.Spec.RenewTime != nil && l.Spec.LeaseDurationSeconds != nil {
				renewed, limit = l.Spec.RenewTime.Time, time.Duration(*l.Spec.LeaseDurationSeconds)*time.Second*3/2
			}
		}
		away := "in its own cluster: kubectl hanse check; and the way from there to this API server"
		switch {
		case renewed.IsZero():
			results = append(results, failed(away, "%s's agent has never renewed its Lease", m.Name))
		case f.Now.Sub(renewed) > limit:
			results = append(results, failed(away, "%s's agent renewed its Lease %s ago, and it is good for %s", m.Name, f.Now.Sub(renewed).Round(time.Second), limit))
		default:
			count++
		}
	}
	if len(results) == 0 {
		return []Result{ok("%d are fresh", count)}
	}
	return results
}
