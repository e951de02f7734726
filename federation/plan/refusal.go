package plan

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// An organization may not allow an image that is declared, and says so as soon as its plan names it. That is a decision and
// no failure: nothing of its own is changed, the others are not changed either, since a consortium's nodes are to run the
// same, and the rollout goes on by itself once the organization allows the image, or ends when another one is declared.

// Refusal is why a Member does not allow an image that is declared for its nodes.
type Refusal struct{ Member, Message string }

// Refusals are those of the Members that are in contact, sorted by Member.
func Refusals(in Input) []Refusal {
	var all []Refusal
	for _, member := range contacts(in) {
		if why := refusal(in, member); why != "" {
			all = append(all, Refusal{member, why})
		}
	}
	return all
}

// contacts are the Consortium's Members whose agents are in contact, sorted.
func contacts(in Input) []string {
	var names []string
	for i := range in.Consortium.Spec.Members {
		name := in.Consortium.Spec.Members[i].Name
		if heard, _ := online(in.Members[name]); heard {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// refusal is what a Member's agent has against an image that is declared; empty if it has nothing. What it has against an
// image that a node was given before is none: it may be what the rollout mends.
func refusal(in Input, member string) string {
	p := in.Plans[member]
	if p == nil || !asked(in, p) {
		return ""
	}
	refused := map[string]v1alpha1.PlanNodeStatus{}
	for _, n := range p.Status.Nodes {
		if n.Reason == v1alpha1.ReasonImageNotAllowed {
			refused[n.Name] = n
		}
	}
	wanted := map[string]v1alpha1.NodeImages{}
	for i := range in.Consortium.Spec.Members {
		if m := &in.Consortium.Spec.Members[i]; m.Name == member {
			for _, n := range planNodes(in.Consortium, m) {
				wanted[n.Name] = v1alpha1.NodeImages{Image: n.Image, StateDatabaseImage: n.StateDatabaseImage}
			}
		}
	}
	for _, n := range p.Spec.Nodes {
		have := v1alpha1.NodeImages{Image: n.Image, StateDatabaseImage: n.StateDatabaseImage}
		if status, ok := refused[n.Name]; ok && have == wanted[n.Name] {
			return status.Message
		}
	}
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.PlanNodesReady)
	if len(refused) == 0 && c != nil && c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonImageNotAllowed {
		return c.Message
	}
	return ""
}

// asked is whether a plan names the images that are declared, and its agent has taken it up.
func asked(in Input, p *v1alpha1.MemberPlan) bool {
	return equality.Semantic.DeepEqual(p.Spec.Ledger, resolveLedger(in.Consortium.Spec.Ledger)) && p.Status.ObservedGeneration >= p.Generation
}

// objection is why no node may be changed now: an organization does not allow an image, or has not answered. Those that
// are away are not waited for.
func objection(in Input) string {
	if refusals := Refusals(in); len(refusals) > 0 {
		return refusals[0].Message
	}
	for _, member := range contacts(in) {
		if p := in.Plans[member]; p == nil || !asked(in, p) {
			return member + " has not taken up the plan that names the image"
		}
	}
	return ""
}
