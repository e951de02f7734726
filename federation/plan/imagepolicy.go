package plan

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

// An organization's policy may not allow a declared image, which its agent reports as soon as the plan names it. That is
// not a failure: no node of any Member is changed, since all nodes of a consortium are to run the same images. The rollout
// continues once the organization allows the image, or ends when another one is declared.

// DisallowedImage is why a Member does not allow an image that is declared for its nodes.
type DisallowedImage struct{ Member, Message string }

// DisallowedImages are those that the online Members report, sorted by Member.
func DisallowedImages(in Input) []DisallowedImage {
	var all []DisallowedImage
	for _, member := range onlineMembers(in) {
		if message := disallowedReason(in, member); message != "" {
			all = append(all, DisallowedImage{member, message})
		}
	}
	return all
}

// onlineMembers are the Consortium's Members whose agents are online, sorted.
func onlineMembers(in Input) []string {
	var names []string
	for i := range in.Consortium.Spec.Members {
		name := in.Consortium.Spec.Members[i].Name
		if isOnline, _ := online(in.Members[name]); isOnline {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// disallowedReason is the message of a Member's agent if its policy does not allow a declared image, else empty. An image
// that a node had before does not count: the rollout may be what replaces it.
func disallowedReason(in Input, member string) string {
	p := in.Plans[member]
	if p == nil || !hasObservedImages(in, p) {
		return ""
	}
	disallowed := map[string]v1alpha1.PlanNodeStatus{}
	for _, n := range p.Status.Nodes {
		if n.Reason == v1alpha1.ReasonImageNotAllowed {
			disallowed[n.Name] = n
		}
	}
	wanted := map[string]v1alpha1.NodeTemplate{}
	for i := range in.Consortium.Spec.Members {
		if m := &in.Consortium.Spec.Members[i]; m.Name == member {
			for _, n := range in.Planner.Nodes(in.Consortium, m) {
				wanted[n.Name] = n.Template()
			}
		}
	}
	for _, n := range p.Spec.Nodes {
		if status, ok := disallowed[n.Name]; ok && n.Template().SameImages(wanted[n.Name]) {
			return status.Message
		}
	}
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.PlanNodesReady)
	if len(disallowed) == 0 && c != nil && c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonImageNotAllowed {
		return c.Message
	}
	return ""
}

// hasObservedImages is whether a plan names the images that are declared, and its agent has observed it.
func hasObservedImages(in Input, p *v1alpha1.MemberPlan) bool {
	return equality.Semantic.DeepEqual(p.Spec.Ledger, in.Planner.Ledger(in.Consortium.Spec.Ledger)) && p.Status.ObservedGeneration >= p.Generation
}

// rolloutBlocker is why no node may be changed now: an organization does not allow an image, or has not observed its plan
// yet. Members that are not online are not waited for.
func rolloutBlocker(in Input) string {
	if disallowed := DisallowedImages(in); len(disallowed) > 0 {
		return disallowed[0].Message
	}
	for _, member := range onlineMembers(in) {
		if p := in.Plans[member]; p == nil || !hasObservedImages(in, p) {
			return member + " has not processed the plan that has the change"
		}
	}
	return ""
}
