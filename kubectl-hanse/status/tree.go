package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/hanse-io/hanse/api/v1alpha1"
	"github.com/hanse-io/hanse/ledger"
)

type condition = metav1.Condition

// Snapshot is everything that a tree is drawn of.
type Snapshot struct {
	Consortium v1alpha1.Consortium
	Members    []MemberSnapshot
	Lines      []v1alpha1.Line
	Channels   []v1alpha1.Channel
	Contracts  []v1alpha1.Contract
	// Planners describe the ledgers that the plugin knows.
	Planners ledger.Planners
}

// MemberSnapshot is one Member with its plan; both are empty but for the name where they do not exist.
type MemberSnapshot struct {
	Member v1alpha1.Member
	Plan   v1alpha1.MemberPlan
}

// row is a line of the tree.
type row struct {
	mark, name, text string
	// reason is the text's in one word, where there is one.
	reason   string
	children []row
}

// failed is whether something is wrong with it, or with what is drawn below it.
func (r row) failed() bool { return r.mark == failed || anyFailed(r.children) }

func anyFailed(rows []row) bool { return slices.ContainsFunc(rows, row.failed) }

// Tree draws a Snapshot. Pure.
func Tree(s Snapshot, now time.Time) string { return drawTree(consortiumRow(s, now)) }

// WideTree draws it with the reasons, and with what the Members run. Pure.
func WideTree(s Snapshot, now time.Time) string {
	top := widen(consortiumRow(s, now))
	members := top.children[0].children
	for i, m := range s.Members {
		if agent := m.Member.Status.Agent; agent.Version != "" {
			members[i].text += fmt.Sprintf("   (agent %s, Kubernetes %s)", agent.Version, cmp.Or(agent.KubernetesVersion, "unknown"))
		}
	}
	return drawTree(top)
}

// widen adds the reasons to what is not as it should be. Pure.
func widen(r row) row {
	if r.reason != "" && r.mark != done {
		r.text += " [" + r.reason + "]"
	}
	r.children = slices.Clone(r.children)
	for i := range r.children {
		r.children[i] = widen(r.children[i])
	}
	return r
}

func drawTree(top row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s\n", top.mark, top.name, top.text)
	draw(&b, top.children, "")
	return b.String()
}

func consortiumRow(s Snapshot, now time.Time) row {
	c := s.Consortium
	top := conditionRow(c.Name, c.Status.Conditions)
	top.text = fmt.Sprintf("%s   (%s, %s old)", top.text, cmp.Or(string(c.Spec.Ledger.Type), "Fabric"), age(c.CreationTimestamp, now))
	top.children = slices.Concat([]row{
		group("members", c.Status.MembersSummary, memberRows(s)),
		group("lines", "", lineRows(s)),
		group("channels", c.Status.ChannelsSummary, channelRows(s)),
	}, ownFaults(c))
	return top
}

// headline is the Snapshot in one sentence.
func headline(s Snapshot) string {
	top := conditionRow(s.Consortium.Name, s.Consortium.Status.Conditions)
	return fmt.Sprintf("%s %s  %s", top.mark, top.name, top.text)
}

func draw(b *strings.Builder, rows []row, indent string) {
	width := 0
	for _, r := range rows {
		width = max(width, len([]rune(r.name)))
	}
	for i, r := range rows {
		branch, below := "├─", "│  "
		if i == len(rows)-1 {
			branch, below = "└─", "   "
		}
		name := r.name + strings.Repeat(" ", width-len([]rune(r.name)))
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s%s %s %s  %s", indent, branch, r.mark, name, r.text), " ") + "\n")
		draw(b, r.children, indent+below)
	}
}

// group is a heading. It is marked by what is below it at any depth, so that the way to what is at fault is seen.
func group(name, summary string, children []row) row {
	r := row{mark: done, name: name, text: summary, children: children}
	for _, child := range children {
		if child.mark != done && r.mark == done {
			r.mark = child.mark
		}
	}
	if anyFailed(children) {
		r.mark = failed
	}
	if len(children) == 0 {
		r.text = "none"
	}
	return r
}

func conditionRow(name string, conditions []condition) row {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return row{mark: unknown, name: name, text: "not taken up yet"}
	}
	return row{mark: mark(ready.Status, ready.Reason), name: name, text: ready.Message, reason: ready.Reason}
}

// ownFaults are what is wrong with a Consortium itself, of which its own row has room for the first alone.
func ownFaults(c v1alpha1.Consortium) []row {
	var rows []row
	for _, kind := range []struct{ condition, name string }{
		{v1alpha1.ConsortiumPlansWritten, "plans"}, {v1alpha1.ConsortiumRolledOut, "rollout"},
	} {
		if found := meta.FindStatusCondition(c.Status.Conditions, kind.condition); faulty(found) {
			rows = append(rows, row{mark: failed, name: kind.name, text: found.Message, reason: found.Reason})
		}
	}
	return rows
}

func channelRows(s Snapshot) []row {
	rows := make([]row, 0, len(s.Channels))
	for _, channel := range s.Channels {
		r := objectRow(channel.Name, channel.Status.Conditions, channelAt(s, channel))
		if channel.Status.Height > 0 {
			r.text += fmt.Sprintf("  height %d", channel.Status.Height)
		}
		for _, contract := range s.Contracts {
			if contract.Spec.Channel == channel.Name {
				r.children = append(r.children, objectRow(contract.Name, contract.Status.Conditions, contractAt(s, contract)))
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func age(t metav1.Time, now time.Time) string {
	if t.IsZero() {
		return "0s"
	}
	return duration.HumanDuration(now.Sub(t.Time))
}
