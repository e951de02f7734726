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
)

// A new image reaches one node first and then the others, one at a time over all Members: orderers before peers, as
// Fabric's own upgrade does. Who decides and who acts are two: NextRollout decides, from the reports, which node is next,
// and its answer is written to the Consortium's status; Compute acts on what is written there, and on nothing else. So
// nothing is forgotten at any interruption, not even what a node is to go back to.

// rolloutNode is one node that exists, or is to.
type rolloutNode struct {
	member, name string
	role         v1alpha1.NodeRole
	// want is declared, planned is what the plan that there is says; exists is whether it has the node.
	want, planned v1alpha1.NodeImages
	exists        bool
	// report is what the agent said last; heard is whether the agent is in contact, and since when.
	report v1alpha1.PlanNodeStatus
	heard  bool
	since  time.Time
}

// stable is whether the node works with what it was last given.
func (n *rolloutNode) stable() bool { return n.readyWith(n.planned) }

func (n *rolloutNode) readyWith(images v1alpha1.NodeImages) bool {
	return n.report.Ready && n.given(images)
}

// given is whether the node's agent has given it images, whether it works with them or not.
func (n *rolloutNode) given(images v1alpha1.NodeImages) bool {
	return n.report.Image == images.Image && n.report.StateDatabaseImage == images.StateDatabaseImage
}

// done is whether there is nothing more to do for the node.
func (n *rolloutNode) done() bool { return !n.exists || n.planned == n.want }

// target is what a Consortium declares, as far as images go.
func target(consortium *v1alpha1.Consortium) v1alpha1.RolloutTarget {
	fabric := resolveLedger(consortium.Spec.Ledger).Fabric
	return v1alpha1.RolloutTarget{PeerImage: fabric.PeerImage, OrdererImage: fabric.OrdererImage, CouchDBImage: fabric.CouchDBImage}
}

// currentRollout is the rollout that is written down, unless the Consortium declares something else by now.
func currentRollout(in Input) *v1alpha1.RolloutStatus {
	if r := in.Consortium.Status.Rollout; r != nil && r.Target == target(in.Consortium) {
		return r
	}
	return nil
}

// rolloutNodes lists all nodes of a Consortium in the order in which they are changed.
func rolloutNodes(in Input) []rolloutNode {
	var all []rolloutNode
	for i := range in.Consortium.Spec.Members {
		m := &in.Consortium.Spec.Members[i]
		planned, reported := map[string]v1alpha1.NodeImages{}, map[string]v1alpha1.PlanNodeStatus{}
		if p := in.Plans[m.Name]; p != nil {
			for _, n := range p.Spec.Nodes {
				planned[n.Name] = v1alpha1.NodeImages{Image: n.Image, StateDatabaseImage: n.StateDatabaseImage}
			}
			for _, n := range p.Status.Nodes {
				reported[n.Name] = n
			}
		}
		heard, since := online(in.Members[m.Name])
		for _, n := range planNodes(in.Consortium, m) {
			node := rolloutNode{member: m.Name, name: n.Name, role: n.Role, report: reported[n.Name], heard: heard, since: since}
			node.want = v1alpha1.NodeImages{Image: n.Image, StateDatabaseImage: n.StateDatabaseImage}
			node.planned, node.exists = planned[n.Name]
			all = append(all, node)
		}
	}
	slices.SortFunc(all, func(a, b rolloutNode) int {
		return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.member, b.member), cmp.Compare(a.name, b.name))
	})
	return all
}

// online is whether a Member's agent is in contact, and since when.
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

// plannedImages are the images of each node as the plans are to say: what they say already, but for the node that the
// rollout is at. A node that is new runs what the others of its role run, and is changed in its turn.
func plannedImages(in Input) map[string]v1alpha1.NodeImages {
	all, rollout := rolloutNodes(in), currentRollout(in)
	images := map[string]v1alpha1.NodeImages{}
	for i := range all {
		n := &all[i]
		switch {
		case rollout != nil && rollout.Node == n.name && rollout.Failed:
			images[n.name] = rollout.From
		case rollout != nil && rollout.Node == n.name:
			images[n.name] = rollout.To
		case !n.exists:
			images[n.name] = likeOthers(n, all)
		case rollout == nil && nothingToLose(n.role, all):
			images[n.name] = n.want
		default:
			images[n.name] = n.planned
		}
	}
	return images
}

// likeOthers is what a new node runs at first: what those of its role run that are not changed yet, if there are any.
func likeOthers(n *rolloutNode, all []rolloutNode) v1alpha1.NodeImages {
	for i := range all {
		o := &all[i]
		sameKind := o.role == n.role && (o.want.StateDatabaseImage == "") == (n.want.StateDatabaseImage == "")
		if sameKind && !o.done() && o.planned.Image != "" {
			return o.planned
		}
	}
	return n.want
}

// nothingToLose is whether no node of a role works anywhere: then all of them are changed at once, as new ones are.
func nothingToLose(role v1alpha1.NodeRole, all []rolloutNode) bool {
	return !slices.ContainsFunc(all, func(n rolloutNode) bool { return n.role == role && n.exists && n.report.Ready })
}

func withImages(nodes []v1alpha1.PlanNode, images map[string]v1alpha1.NodeImages) []v1alpha1.PlanNode {
	for i := range nodes {
		nodes[i].Image, nodes[i].StateDatabaseImage = images[nodes[i].Name].Image, images[nodes[i].Name].StateDatabaseImage
	}
	return nodes
}

// NextRollout is the rollout as it stands now; nil when every node has what is declared. It changes one thing at a time:
// it begins with a node, ends with it, or goes on to the next.
func NextRollout(in Input, now time.Time) *v1alpha1.RolloutStatus {
	all, before := rolloutNodes(in), currentRollout(in)
	if before != nil && before.Failed {
		return before
	}
	if before != nil && before.Node != "" {
		if i := slices.IndexFunc(all, func(n rolloutNode) bool { return n.name == before.Node }); i >= 0 {
			if n := &all[i]; !n.readyWith(before.To) {
				return inFlight(in, before, n, now)
			}
			// The plan may not have come back from the API server yet, but the node has answered to it.
			all[i].planned, all[i].exists = before.To, true
		}
	}
	return nextNode(in, all, now)
}

// deadline is how long a node has.
func deadline(in Input) time.Duration {
	return time.Duration(ptr.Deref(in.Consortium.Spec.ProgressDeadlineSeconds, v1alpha1.DefaultProgressDeadlineSeconds)) * time.Second
}

// RolloutDeadline is when the node that a rollout is at has failed; not ok when there is none, or its agent is away: what
// nobody has heard of has not failed.
func RolloutDeadline(in Input, rollout *v1alpha1.RolloutStatus) (at time.Time, ok bool) {
	if rollout == nil || rollout.Failed || rollout.Node == "" || rollout.Since == nil {
		return time.Time{}, false
	}
	heard, since := online(in.Members[rollout.Member])
	if !heard {
		return time.Time{}, false
	}
	if since.Before(rollout.Since.Time) {
		since = rollout.Since.Time
	}
	return since.Add(deadline(in)), true
}

// inFlight is the rollout while its node is not ready with the new images.
func inFlight(in Input, before *v1alpha1.RolloutStatus, n *rolloutNode, now time.Time) *v1alpha1.RolloutStatus {
	next := before.DeepCopy()
	if why := refusal(in, n.member); why != "" && !n.given(before.To) {
		// The node goes on as it was. Its time begins once its organization lets it be changed.
		next.Since, next.Message = nil, short(why)
		return next
	}
	if next.Since == nil {
		next.Since = ptr.To(metav1.NewTime(now.Truncate(time.Second)))
	}
	at, ok := RolloutDeadline(in, next)
	switch {
	case !ok:
		next.Message = "nothing heard of " + n.member
	case now.Before(at):
		next.Message = short(n.report.Message)
	default:
		next.Failed = true
		next.Message = short(cmp.Or(n.report.Message, "it is not ready with the new image"))
	}
	return next
}

// short keeps a Member's words within what a status takes.
func short(message string) string {
	const limit = 1000
	if len(message) <= limit {
		return message
	}
	return strings.ToValidUTF8(message[:limit], "") + "…"
}

// nextNode picks the node to change next: the one whose change was broken off first, since it may be the one that has to
// be mended, then orderers, then peers.
func nextNode(in Input, all []rolloutNode, now time.Time) *v1alpha1.RolloutStatus {
	var waits string
	var left []*rolloutNode
	for i := range all {
		if n := &all[i]; !n.done() && !nothingToLose(n.role, all) {
			left = append(left, n)
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.SortStableFunc(left, func(a, b *rolloutNode) int {
		return cmp.Or(cmp.Compare(a.role, b.role), order(a.stable(), b.stable()))
	})
	rollout := &v1alpha1.RolloutStatus{Target: target(in.Consortium)}
	if rollout.Message = short(objection(in)); rollout.Message != "" {
		return rollout
	}
	for _, n := range left {
		if n.role != left[0].role {
			break
		}
		why := obstacle(n, all)
		if why == "" {
			rollout.Member, rollout.Node = n.member, n.name
			rollout.From, rollout.To = goBackTo(in, n), n.want
			rollout.Since = ptr.To(metav1.NewTime(now.Truncate(time.Second)))
			return rollout
		}
		waits = cmp.Or(waits, why)
	}
	rollout.Message = short(waits)
	return rollout
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// goBackTo is what a node had before: not what a rollout that has been given up had just given it.
func goBackTo(in Input, n *rolloutNode) v1alpha1.NodeImages {
	if old := in.Consortium.Status.Rollout; old != nil && old.Node == n.name && !old.Failed && !n.readyWith(old.To) {
		return old.From
	}
	return n.planned
}

// obstacle says why a node cannot be changed now; empty if it can. A node that is not ready takes nothing away.
func obstacle(n *rolloutNode, all []rolloutNode) string {
	switch {
	case !n.heard:
		return "nothing heard of " + n.member
	case !n.report.Ready:
		return ""
	case n.role == v1alpha1.RoleOrderer:
		return tooFew(n, all, "orderers", func(o *rolloutNode) string { return o.name })
	}
	return tooFew(n, all, "organizations with a peer", func(o *rolloutNode) string { return o.member })
}

// tooFew says what has to be ready before a node can be taken down: of its kind, counted by a key, a majority has to
// stay, and where there are too few for that, all the others.
func tooFew(n *rolloutNode, all []rolloutNode, kind string, key func(*rolloutNode) string) string {
	ready, down := map[string]bool{}, ""
	for i := range all {
		o := &all[i]
		if o.role != n.role || o.name == n.name || !o.exists {
			continue
		}
		up := o.heard && o.report.Ready
		if !up {
			down = cmp.Or(down, o.name)
		}
		ready[key(o)] = ready[key(o)] || up
	}
	if key(n) == n.member && ready[n.member] {
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
		return fmt.Sprintf("%s is not ready, and too few %s would be left", down, kind)
	}
	return ""
}

// RolledOut counts the nodes that work with the images that are declared, and those that there are. what is the image
// that is being rolled out, for people; empty when none is.
func RolledOut(in Input, rollout *v1alpha1.RolloutStatus) (ready, nodes int, what string) {
	all := rolloutNodes(in)
	for i := range all {
		n := &all[i]
		nodes++
		if n.exists && n.planned == n.want && (n.stable() || n.report.Image == "" && n.report.Ready) {
			ready++
		}
	}
	if rollout == nil {
		return ready, nodes, ""
	}
	what = rollout.To.Image
	if rollout.From.Image == rollout.To.Image {
		what = rollout.To.StateDatabaseImage
	}
	for i := range all {
		if n := &all[i]; what == "" && !n.done() {
			what = n.want.Image
		}
	}
	return ready, nodes, what
}
