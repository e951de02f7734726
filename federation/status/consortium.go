package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/federation/plan"
)

// part is one of the conditions that make up a Consortium's Ready.
type part struct {
	condition string
	progress  aggregate
	ready     int
	all       int
	noun      string
}

func (p *part) summary() string { return ratio(p.ready, p.all) + " " + p.noun }

// Consortium aggregates what the Members report into a Consortium's status.
func Consortium(in plan.Input, res plan.Result, now time.Time) v1alpha1.ConsortiumStatus {
	c := in.Consortium
	parts := []part{membersPart(in), nodesPart(in, res), linesPart(in), channelsPart(in, res), contractsPart(in, res)}
	outcomes := map[string]Outcome{v1alpha1.ConditionAccepted: Accepted(res.Consortium)}
	var summaries []string
	for _, p := range parts {
		outcomes[p.condition] = p.progress.outcome(p.summary())
		summaries = append(summaries, ratio(p.ready, p.all))
	}
	rollout := plan.NextRollout(in, now)
	rolled := rolloutPart(in, rollout)
	outcomes[v1alpha1.ConsortiumRolledOut] = rolloutOutcome(rolled, rollout)
	if rollout != nil {
		parts = slices.Insert(parts, 2, rolled)
	}
	written, unwritten := plansWritten(in)
	outcomes[v1alpha1.ConsortiumPlansWritten] = written
	outcomes[v1alpha1.ConditionReady] = readyOutcome(res, append(parts, part{progress: unwritten}))
	return v1alpha1.ConsortiumStatus{
		ObservedGeneration: c.Generation,
		Members:            memberStatuses(in),
		MembersSummary:     summaries[0],
		NodesSummary:       summaries[1],
		ChannelsSummary:    summaries[3],
		ContractsSummary:   summaries[4],
		Rollout:            rollout,
		Conditions:         Conditions(c.Status.Conditions, c.Generation, now, withStalled(outcomes)),
	}
}

// Retiring is the status of a Consortium that is being deleted; waits are the Members that it waits for.
func Retiring(in plan.Input, waits []string, now time.Time) v1alpha1.ConsortiumStatus {
	status := *in.Consortium.Status.DeepCopy()
	status.ObservedGeneration = in.Consortium.Generation
	status.Members = memberStatuses(in)
	message := "the members have removed their nodes"
	if len(waits) > 0 {
		message = fmt.Sprintf("waiting for %s to remove the nodes; if a cluster is lost for good, annotate the consortium with %s=true",
			strings.Join(waits, ", "), v1alpha1.AnnotationAbandon)
	}
	outcomes := map[string]Outcome{v1alpha1.ConditionReady: {metav1.ConditionFalse, v1alpha1.ReasonRetiring, message}}
	kept := slices.DeleteFunc(slices.Clone(status.Conditions), func(c metav1.Condition) bool {
		return c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionStalled
	})
	status.Conditions = append(kept, Conditions(in.Consortium.Status.Conditions, in.Consortium.Generation, now, outcomes)...)
	return status
}

// readyOutcome combines the parts into the condition Ready.
func readyOutcome(res plan.Result, parts []part) Outcome {
	if !res.Consortium.Accepted {
		return Outcome{metav1.ConditionFalse, res.Consortium.Reason, res.Consortium.Message}
	}
	var whole aggregate
	var summaries []string
	for _, p := range parts {
		whole.merge(p.progress)
		if p.all > 0 {
			summaries = append(summaries, p.summary())
		}
	}
	return whole.outcome(strings.Join(summaries, ", "))
}

// plansWritten is the condition PlansWritten: whether the API server has accepted every plan, and the Members have a namespace
// for their statements.
func plansWritten(in plan.Input) (Outcome, aggregate) {
	var p aggregate
	for _, member := range sortedKeys(in.WriteErrors) {
		if member == "" { // no single Member's
			p.addFailed("%s", in.WriteErrors[member])
			continue
		}
		p.addFailed("the plan of %s cannot be written: %s", member, in.WriteErrors[member])
	}
	if len(p.failed) > 0 {
		return Outcome{metav1.ConditionFalse, v1alpha1.ReasonPlanNotWritten, firstAndCount(p.failed)}, p
	}
	return Outcome{metav1.ConditionTrue, v1alpha1.ReasonReady, "every member's plan is up to date"}, p
}

func memberNames(in plan.Input) []string {
	names := make([]string, 0, len(in.Consortium.Spec.Members))
	for _, m := range in.Consortium.Spec.Members {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

func membersPart(in plan.Input) part {
	p := part{condition: v1alpha1.ConsortiumMembersOnline, noun: "members"}
	for _, name := range memberNames(in) {
		p.all++
		member := in.Members[name]
		switch {
		case Online(member) == metav1.ConditionTrue:
			p.ready++
		case member == nil:
			p.progress.addPending("Member "+name, "be created", "")
		case !meta.IsStatusConditionTrue(member.Status.Conditions, v1alpha1.MemberRegistered):
			p.progress.addPending(name, "register an agent", "")
		default:
			p.progress.addUnreachable(name)
		}
	}
	return p
}

func nodesPart(in plan.Input, res plan.Result) part {
	p := part{condition: v1alpha1.ConsortiumNodesReady, noun: "nodes"}
	for _, name := range memberNames(in) {
		count := nodeCount(in, name)
		p.ready += int(count.Ready)
		p.all += int(count.Desired)
		reported := in.Plans[name]
		switch {
		case Online(in.Members[name]) != metav1.ConditionTrue:
			p.progress.addUnreachable(name)
		case reported == nil || reported.Status.ObservedGeneration == 0 && reported.Generation > 0:
			p.progress.addPending(name, "process the plan", notMirrored(reported))
		case count.Ready < count.Desired:
			p.progress.addPending(name, "start nodes", nodesMessage(reported))
		case !current(reported, res.Plans[name]):
			p.progress.addPending(name, "process the plan's last change", notMirrored(reported))
		default:
			if reason := notCarriedOut(reported); reason != "" {
				p.progress.addPending(name, "carry out the plan", reason)
			}
		}
	}
	return p
}

// notMirrored is why a Member has not mirrored the plan; empty if it has reported no reason.
func notMirrored(reported *v1alpha1.MemberPlan) string {
	if reported == nil {
		return ""
	}
	if c := meta.FindStatusCondition(reported.Status.Conditions, v1alpha1.PlanMirrored); c != nil && c.Status == metav1.ConditionFalse {
		return c.Message
	}
	return ""
}

// notCarriedOut is why a Member does not carry out the current plan although its nodes run: they may be those of an earlier
// plan, because the organization does not trust this one or does not allow its images.
func notCarriedOut(reported *v1alpha1.MemberPlan) string {
	if len(reported.Undecodable) > 0 {
		return fmt.Sprintf("its report: %s; its agent will write it again", reported.Undecodable)
	}
	for _, kind := range []string{v1alpha1.PlanTrusted, v1alpha1.PlanNodesReady} {
		if c := meta.FindStatusCondition(reported.Status.Conditions, kind); c != nil && c.Status == metav1.ConditionFalse {
			return c.Message
		}
	}
	return ""
}

// current is whether a plan is up to date and its status has observed it.
func current(reported *v1alpha1.MemberPlan, want v1alpha1.MemberPlanSpec) bool {
	return reported.Status.ObservedGeneration >= reported.Generation && equality.Semantic.DeepEqual(reported.Spec, want)
}

// nodesMessage is the message of the first node of a Member that is not ready.
func nodesMessage(reported *v1alpha1.MemberPlan) string {
	for _, node := range reported.Status.Nodes {
		if !node.Ready && node.Message != "" {
			return node.Name + ": " + node.Message
		}
	}
	for _, kind := range []string{v1alpha1.PlanTrusted, v1alpha1.PlanIdentitiesReady, v1alpha1.PlanNodesReady} {
		if c := meta.FindStatusCondition(reported.Status.Conditions, kind); c != nil && c.Status != metav1.ConditionTrue {
			return c.Message
		}
	}
	return ""
}

func nodeCount(in plan.Input, member string) v1alpha1.NodeCount {
	var count v1alpha1.NodeCount
	for i := range in.Consortium.Spec.Members {
		if m := &in.Consortium.Spec.Members[i]; m.Name == member {
			var ready []string
			if reported := in.Plans[member]; reported != nil {
				for _, node := range reported.Status.Nodes {
					if node.Ready {
						ready = append(ready, node.Name)
					}
				}
			}
			for _, role := range in.Planner.Description().Roles {
				planned := in.Planner.Count(m, role.Name)
				count.Desired += planned
				count.Ready += int32(countNodes(ready, role.Name, planned, member))
			}
		}
	}
	count.Summary = ratio(int(count.Ready), int(count.Desired))
	return count
}

func linesPart(in plan.Input) part {
	p, up, pairs := lines(in)
	return part{condition: v1alpha1.ConsortiumLinesReady, progress: p, ready: up, all: pairs, noun: "lines"}
}

func channelsPart(in plan.Input, res plan.Result) part {
	p := part{condition: v1alpha1.ConsortiumChannelsReady, noun: "channels"}
	for _, name := range sortedKeys(res.Channels) {
		p.all++
		resolved, ok := res.Resolved[name]
		if !ok {
			p.progress.addPending("channel "+name, "be corrected", res.Channels[name].Message)
			continue
		}
		if found := channelFaults(in, resolved); len(found) > 0 {
			p.progress.addFailed("channel %s: %s", name, faultText(found))
			continue
		}
		own, _ := channelProgress(in, resolved)
		if own.outstanding() == "" {
			p.ready++
		}
		p.progress.merge(own)
	}
	return p
}

func contractsPart(in plan.Input, res plan.Result) part {
	p := part{condition: v1alpha1.ConsortiumContractsReady, noun: "contracts"}
	for i := range in.Contracts {
		contract := &in.Contracts[i]
		p.all++
		if validation := res.Contracts[contract.Name]; !validation.Accepted {
			p.progress.addPending("contract "+contract.Name, "be corrected", validation.Message)
			continue
		}
		if found := contractFaults(in, res, contract); len(found) > 0 {
			p.progress.addFailed("contract %s: %s", contract.Name, faultText(found))
			continue
		}
		own, _ := contractProgress(in, res, contract)
		if own.outstanding() == "" {
			p.ready++
		}
		p.progress.merge(own)
	}
	return p
}

// memberStatuses has one entry for each Member, sorted by name.
func memberStatuses(in plan.Input) []v1alpha1.ConsortiumMemberStatus {
	var rows []v1alpha1.ConsortiumMemberStatus
	for _, name := range memberNames(in) {
		row := v1alpha1.ConsortiumMemberStatus{Name: name, Online: Online(in.Members[name]), Nodes: nodeCount(in, name), VolumeSize: volumeSize(in, name)}
		if reported := in.Plans[name]; reported != nil {
			row.Phase = reported.Status.Phase
			if ready := meta.FindStatusCondition(reported.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
				row.Message = ready.Message
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
