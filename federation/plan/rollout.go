package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

// What nodes are started with, images, resources and log levels, is rolled out one node at a time over all Members: role by
// role, in the order that the ledger's description gives.
// Deciding and acting are separate: NextRollout decides from the reports which node is next, and its result is written to
// the Consortium's status; Compute acts on that status only. So an interruption loses nothing, not even what to roll
// back to.

// rolloutNode is one declared node.
type rolloutNode struct {
	member, name string
	role         ledger.Role
	// rank is the role's place in the order of the roles.
	rank int
	// want is what is declared, planned what the existing plan has; exists is whether it has the node.
	want, planned v1alpha1.NodeTemplate
	exists        bool
	// report is the agent's last report; online is whether the agent is online, and since when.
	report v1alpha1.PlanNodeStatus
	online bool
	since  time.Time
}

// stable is whether the node is ready with what its plan has.
func (n *rolloutNode) stable() bool { return n.readyWith(n.planned) }

func (n *rolloutNode) readyWith(template v1alpha1.NodeTemplate) bool {
	return n.report.Ready && n.runs(template)
}

// runs is whether the node's pod has been started with a template, ready or not.
func (n *rolloutNode) runs(t v1alpha1.NodeTemplate) bool {
	return n.report.Image == t.Image && n.report.StateDatabaseImage == t.StateDatabaseImage && n.report.Settings == t.Settings()
}

// done is whether there is nothing more to do for the node.
func (n *rolloutNode) done() bool { return !n.exists || n.planned.Equal(n.want) }

// currentRollout is the rollout in the status, unless the Consortium declares something else by now.
func currentRollout(in Input) *v1alpha1.RolloutStatus {
	if r := in.Consortium.Status.Rollout; r != nil && r.Target == rolloutTarget(in) {
		return r
	}
	return nil
}

// rolloutNodes lists all nodes of a Consortium in the order in which they are changed.
func rolloutNodes(in Input) []rolloutNode {
	var all []rolloutNode
	description := in.Planner.Description()
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		planned, reported := map[string]v1alpha1.NodeTemplate{}, map[string]v1alpha1.PlanNodeStatus{}
		if p := in.Plans[m.Name]; p != nil {
			for _, n := range p.Spec.Nodes {
				planned[n.Name] = n.Template()
			}
			for _, n := range p.Status.Nodes {
				reported[n.Name] = n
			}
		}
		isOnline, since := online(in.Members[m.Name])
		for _, n := range in.Planner.Nodes(in.Consortium, m) {
			node := rolloutNode{member: m.Name, name: n.Name, report: reported[n.Name], online: isOnline, since: since}
			node.role, _ = description.Role(n.Role)
			node.rank = description.Rank(n.Role)
			node.want = n.Template()
			node.planned, node.exists = planned[n.Name]
			all = append(all, node)
		}
	}
	slices.SortFunc(all, func(a, b rolloutNode) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.member, b.member), cmp.Compare(a.name, b.name))
	})
	return all
}

// online is whether a Member's agent is online, and since when.
func online(member *v1alpha1.Member) (bool, time.Time) {
	if member == nil {
		return false, time.Time{}
	}
	c := meta.FindStatusCondition(member.Status.Conditions, v1alpha1.MemberOnline)
	if c == nil || c.Status != metav1.ConditionTrue {
		return false, time.Time{}
	}
	return true, c.LastTransitionTime.Time
}

// plannedTemplates are what each node is started with in the new plans: as in the existing plans, except for the node that is
// being rolled out. A new node begins with the images of the others of its role and is rolled out after them.
func plannedTemplates(in Input) map[string]v1alpha1.NodeTemplate {
	all, rollout := rolloutNodes(in), currentRollout(in)
	templates := map[string]v1alpha1.NodeTemplate{}
	for i := range all {
		n := &all[i]
		switch {
		case rollout != nil && rollout.Node == n.name && rollout.Failed:
			templates[n.name] = rollout.From
		case rollout != nil && rollout.Node == n.name:
			templates[n.name] = rollout.To
		case !n.exists:
			templates[n.name] = initialTemplate(n, all)
		case rollout == nil && noneReady(n.rank, all):
			templates[n.name] = n.want
		default:
			templates[n.name] = n.planned
		}
	}
	return templates
}

// initialTemplate is that of a new node: its own settings, and the images of a node of its role that is not rolled out yet, if
// there is one.
func initialTemplate(n *rolloutNode, all []rolloutNode) v1alpha1.NodeTemplate {
	template := n.want
	for i := range all {
		o := &all[i]
		sameKind := o.rank == n.rank && (o.want.StateDatabaseImage == "") == (n.want.StateDatabaseImage == "")
		if sameKind && !o.done() && o.planned.Image != "" {
			template.Image, template.StateDatabaseImage = o.planned.Image, o.planned.StateDatabaseImage
			break
		}
	}
	return template
}

// noneReady is whether no node of a role is ready at any Member: then all of them are changed at once, as new ones are.
func noneReady(rank int, all []rolloutNode) bool {
	return !slices.ContainsFunc(all, func(n rolloutNode) bool { return n.rank == rank && n.exists && n.report.Ready })
}

func withTemplates(nodes []v1alpha1.PlanNode, templates map[string]v1alpha1.NodeTemplate) []v1alpha1.PlanNode {
	for i := range nodes {
		n, t := &nodes[i], templates[nodes[i].Name]
		n.Image, n.StateDatabaseImage, n.Resources, n.LogLevel = t.Image, t.StateDatabaseImage, t.Resources, t.LogLevel
	}
	return nodes
}

// NextRollout is the new status of the rollout; nil when every node has what is declared. It advances one step at a
// time: it starts a node, completes it, or goes on to the next.
func NextRollout(in Input, now time.Time) *v1alpha1.RolloutStatus {
	all, before := rolloutNodes(in), currentRollout(in)
	if before != nil && before.Failed {
		return before
	}
	if before != nil && before.Node != "" {
		if i := slices.IndexFunc(all, func(n rolloutNode) bool { return n.name == before.Node }); i >= 0 {
			if n := &all[i]; !n.readyWith(before.To) {
				return continueRollout(in, before, n, now)
			}
			// The cache may not have the plan yet, but the node has reported on it.
			all[i].planned, all[i].exists = before.To, true
		}
	}
	return nextNode(in, all, now)
}

// deadline is how long a node may take to become ready.
func deadline(in Input) time.Duration {
	return time.Duration(ptr.Deref(in.Consortium.Spec.ProgressDeadlineSeconds, v1alpha1.DefaultProgressDeadlineSeconds)) * time.Second
}

// RolloutDeadline is when the node that is being rolled out counts as failed; not ok when there is none, or its agent is not
// online: a node without reports has not failed.
func RolloutDeadline(in Input, rollout *v1alpha1.RolloutStatus) (at time.Time, ok bool) {
	if rollout == nil || rollout.Failed || rollout.Node == "" || rollout.Since == nil {
		return time.Time{}, false
	}
	isOnline, since := online(in.Members[rollout.Member])
	if !isOnline {
		return time.Time{}, false
	}
	if since.Before(rollout.Since.Time) {
		since = rollout.Since.Time
	}
	return since.Add(deadline(in)), true
}

// continueRollout is the new status while the node is not ready with what is new.
func continueRollout(in Input, before *v1alpha1.RolloutStatus, n *rolloutNode, now time.Time) *v1alpha1.RolloutStatus {
	next := before.DeepCopy()
	if reason := disallowedReason(in, n.member); reason != "" && !n.runs(before.To) {
		// The node keeps its images. Its deadline starts once its organization allows the image.
		next.Since, next.Message = nil, shorten(reason)
		return next
	}
	if next.Since == nil {
		next.Since = ptr.To(metav1.NewTime(now.Truncate(time.Second)))
	}
	at, ok := RolloutDeadline(in, next)
	refused := refusedPlan(in, n, before.To)
	switch {
	case refused != "":
		next.Failed, next.Message = true, shorten(refused)
	case !ok:
		next.Message = "no contact with " + n.member
	case now.Before(at):
		next.Message = shorten(n.report.Message)
	default:
		next.Failed = true
		next.Message = shorten(cmp.Or(n.report.Message, "it is not ready with what is new"))
	}
	return next
}

// shorten limits a Member's message to 1000 bytes; the CRD allows 1024.
func shorten(message string) string {
	const limit = 1000
	if len(message) <= limit {
		return message
	}
	return strings.ToValidUTF8(message[:limit], "") + "…"
}

// nextNode picks the node to change next: role by role, and within a role nodes that are not stable first, since
// an interrupted change may have left them broken.
func nextNode(in Input, all []rolloutNode, now time.Time) *v1alpha1.RolloutStatus {
	var waits string
	var left []*rolloutNode
	for i := range all {
		if n := &all[i]; !n.done() && !noneReady(n.rank, all) {
			left = append(left, n)
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.SortStableFunc(left, func(a, b *rolloutNode) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), compareBool(a.stable(), b.stable()))
	})
	rollout := &v1alpha1.RolloutStatus{Target: rolloutTarget(in)}
	if rollout.Message = shorten(rolloutBlocker(in)); rollout.Message != "" {
		return rollout
	}
	for _, n := range left {
		if n.rank != left[0].rank {
			break
		}
		reason := nodeBlocker(n, all)
		if reason == "" {
			rollout.Member, rollout.Node = n.member, n.name
			rollout.From, rollout.To = *rollbackTemplate(in, n).DeepCopy(), *n.want.DeepCopy()
			rollout.Since = ptr.To(metav1.NewTime(now.Truncate(time.Second)))
			return rollout
		}
		waits = cmp.Or(waits, reason)
	}
	rollout.Message = shorten(waits)
	return rollout
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// rollbackTemplate is what a node had before the rollout, and not that of an aborted earlier one.
func rollbackTemplate(in Input, n *rolloutNode) *v1alpha1.NodeTemplate {
	if old := in.Consortium.Status.Rollout; old != nil && old.Node == n.name && !old.Failed && !n.readyWith(old.To) {
		return &old.From
	}
	return &n.planned
}

// nodeBlocker says why a node cannot be changed now; empty if it can. A node that is not ready can always be changed.
func nodeBlocker(n *rolloutNode, all []rolloutNode) string {
	switch {
	case !n.online:
		return "no contact with " + n.member
	case !n.report.Ready:
		return ""
	}
	return quorumBlocker(n, all)
}

// quorumBlocker says why a node cannot be taken down now; empty if it can. Of the nodes of its role, or of the Members that
// run any, a majority must stay ready, or all the others where there are too few for a majority.
func quorumBlocker(n *rolloutNode, all []rolloutNode) string {
	spare := n.role.Spare
	key := func(o *rolloutNode) string {
		if spare.PerMember {
			return o.member
		}
		return o.name
	}
	ready, down := map[string]bool{}, ""
	for i := range all {
		o := &all[i]
		if o.rank != n.rank || o.name == n.name || !o.exists {
			continue
		}
		up := o.online && o.report.Ready
		if !up {
			down = cmp.Or(down, o.name)
		}
		ready[key(o)] = ready[key(o)] || up
	}
	if spare.PerMember && ready[n.member] {
		return ""
	}
	delete(ready, key(n))
	count := 0
	for _, up := range ready {
		if up {
			count++
		}
	}
	if count < min((len(ready)+1)/2+1, len(ready)) {
		return fmt.Sprintf("%s is not ready, and too few %s would be left", down, spare.Noun)
	}
	return ""
}
