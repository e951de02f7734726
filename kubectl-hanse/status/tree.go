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
)

type condition = metav1.Condition

// Snapshot is everything that a tree is drawn of.
type Snapshot struct {
	Consortium v1alpha1.Consortium
	Members    []MemberSnapshot
	Lines      []v1alpha1.Line
	Channels   []v1alpha1.Channel
	Contracts  []v1alpha1.Contract
}

// MemberSnapshot is one Member with its plan; both are empty but for the name where they do not exist.
type MemberSnapshot struct {
	Member v1alpha1.Member
	Plan   v1alpha1.MemberPlan
}

// Marks before each row.
const (
	done    = "✓"
	waiting = "…"
	failed  = "✗"
	unknown = "?"
)

func mark(status metav1.ConditionStatus, reason string) string {
	switch status {
	case metav1.ConditionTrue:
		return done
	case metav1.ConditionFalse:
		if slices.Contains([]string{v1alpha1.ReasonProgressing, v1alpha1.ReasonWaiting, ""}, reason) {
			return waiting
		}
		return failed
	}
	return unknown
}

// row is a line of the tree.
type row struct {
	mark, name, text string
	children         []row
}

// Tree draws a Snapshot. Pure.
func Tree(s Snapshot, now time.Time) string {
	c := s.Consortium
	top := conditionRow(c.Name, c.Status.Conditions)
	top.text = fmt.Sprintf("%s   (%s, %s old)", top.text, cmp.Or(string(c.Spec.Ledger.Type), "Fabric"), age(c.CreationTimestamp, now))
	top.children = []row{
		group("members", c.Status.MembersSummary, memberRows(s)),
		group("lines", "", lineRows(s.Lines)),
		group("channels", c.Status.ChannelsSummary, channelRows(s)),
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s\n", top.mark, top.name, top.text)
	draw(&b, top.children, "")
	return b.String()
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

func group(name, summary string, children []row) row {
	r := row{mark: done, name: name, text: summary, children: children}
	for _, child := range children {
		if child.mark != done && r.mark == done || child.mark == failed {
			r.mark = child.mark
		}
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
	return row{mark: mark(ready.Status, ready.Reason), name: name, text: ready.Message}
}

func memberRows(s Snapshot) []row {
	rows := make([]row, 0, len(s.Members))
	for _, m := range s.Members {
		r := conditionRow(m.Member.Name, m.Plan.Status.Conditions)
		online := meta.FindStatusCondition(m.Member.Status.Conditions, v1alpha1.MemberOnline)
		switch {
		case m.Member.UID == "":
			r.mark, r.text = unknown, "no such member: kubectl hanse invite "+m.Member.Name
		case online == nil || online.Status != metav1.ConditionTrue:
			r.mark, r.text = unknown, "not heard of; last known: "+r.text
		}
		for _, node := range m.Plan.Status.Nodes {
			state := row{mark: waiting, name: node.Name, text: node.Message}
			if node.Ready {
				state.mark = done
			}
			r.children = append(r.children, state)
		}
		rows = append(rows, r)
	}
	return rows
}

func lineRows(lines []v1alpha1.Line) []row {
	rows := make([]row, 0, len(lines))
	for _, line := range lines {
		r := conditionRow(line.Name, line.Status.Conditions)
		for _, end := range line.Status.Ends {
			if end.RTTMicroseconds > 0 {
				r.text += fmt.Sprintf("  %s: %.1f ms", end.From, float64(end.RTTMicroseconds)/1000)
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func channelRows(s Snapshot) []row {
	rows := make([]row, 0, len(s.Channels))
	for _, channel := range s.Channels {
		r := conditionRow(channel.Name, channel.Status.Conditions)
		if channel.Status.Height > 0 {
			r.text += fmt.Sprintf("  height %d", channel.Status.Height)
		}
		for _, contract := range s.Contracts {
			if contract.Spec.Channel == channel.Name {
				r.children = append(r.children, conditionRow(contract.Name, contract.Status.Conditions))
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
