package status

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func memberRows(s Snapshot) []row {
	rows := make([]row, 0, len(s.Members))
	for _, m := range s.Members {
		rows = append(rows, memberRow(s, m))
	}
	return rows
}

// memberRow is one organization with its nodes, and with what is wrong at it and with no object that is drawn elsewhere.
func memberRow(s Snapshot, m MemberSnapshot) row {
	r := conditionRow(m.Member.Name, m.Plan.Status.Conditions)
	registered := meta.FindStatusCondition(m.Member.Status.Conditions, v1alpha1.MemberRegistered)
	switch {
	case m.Member.UID == "":
		r.mark, r.text = unknown, "no such member: kubectl hanse invite "+m.Member.Name
		return r
	case registered != nil && registered.Status == metav1.ConditionFalse:
		r.mark, r.text, r.reason = mark(registered.Status, registered.Reason), registered.Message, registered.Reason
	case !m.online():
		r.mark, r.text = unknown, lastKnown(r.text)
	}
	r.children = slices.Concat(credentialFault(m.Member.Status.Conditions), memberNodes(s, m), phaseFaults(s, m))
	if anyFailed(r.children) {
		r.mark = failed
	}
	return r
}

// credentialFault is that somebody else uses the agent's credential: the host says so of a Member, and an agent of its plan.
func credentialFault(conditions []condition) []row {
	shared := meta.FindStatusCondition(conditions, v1alpha1.MemberCredentialShared)
	if shared == nil || shared.Status != metav1.ConditionTrue {
		return nil
	}
	return []row{{mark: failed, name: "credential", text: shared.Message, reason: shared.Reason}}
}

func memberNodes(s Snapshot, m MemberSnapshot) []row {
	rows := nodeRows(m.Plan)
	rollout := s.Consortium.Status.Rollout
	for i := range rows {
		if rollout != nil && rollout.Failed && rollout.Node == rows[i].name {
			rows[i].mark = failed
			rows[i].text = fmt.Sprintf("did not become ready with %s, and goes back to %s: %s", rollout.From.Difference(rollout.To), rollout.To.Difference(rollout.From), cmp.Or(rollout.Message, "it did not say why"))
		}
		if !m.online() {
			rows[i].mark = unknown
		}
	}
	return rows
}

// phaseFaults are the steps of an agent at which something is wrong, but for those whose fault stands at a node, a line, a
// channel or a contract.
func phaseFaults(s Snapshot, m MemberSnapshot) []row {
	if !m.online() {
		return nil
	}
	elsewhere := map[string]bool{
		v1alpha1.PlanNodesReady:     anyFailed(nodeRows(m.Plan)),
		v1alpha1.PlanLinesReady:     slices.ContainsFunc(s.Lines, func(l v1alpha1.Line) bool { return failsAt(m, lineAt(s, l)) }),
		v1alpha1.PlanChannelsReady:  slices.ContainsFunc(s.Channels, func(c v1alpha1.Channel) bool { return failsAt(m, channelAt(s, c)) }),
		v1alpha1.PlanContractsReady: slices.ContainsFunc(s.Contracts, func(c v1alpha1.Contract) bool { return failsAt(m, contractAt(s, c)) }),
	}
	var rows []row
	for _, phase := range phases {
		if found := meta.FindStatusCondition(m.Plan.Status.Conditions, phase.condition); faulty(found) && !elsewhere[phase.condition] {
			rows = append(rows, row{mark: failed, name: phase.name, text: found.Message, reason: found.Reason})
		}
	}
	return rows
}

// failsAt is whether a Member is among those at which an object is at fault.
func failsAt(m MemberSnapshot, at []row) bool {
	return slices.ContainsFunc(at, func(r row) bool { return r.name == "at "+m.Member.Name && r.mark == failed })
}
