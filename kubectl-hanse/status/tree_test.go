package status

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hanse-io/hanse/api/v1alpha1"
)

func readyIs(status metav1.ConditionStatus, reason, message string) []condition {
	return []condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message, ObservedGeneration: 1}}
}

func sample() Snapshot {
	now := metav1.Unix(1_000_000, 0)
	s := Snapshot{Consortium: v1alpha1.Consortium{ObjectMeta: metav1.ObjectMeta{Name: "trade", Generation: 1, CreationTimestamp: now}}}
	s.Consortium.Status.Conditions = readyIs("False", v1alpha1.ReasonWaiting, "waiting for org2's nodes")
	org1, org2 := MemberSnapshot{}, MemberSnapshot{}
	org1.Member.Name, org1.Member.UID = "org1", "1"
	org1.Member.Status.Conditions = []condition{{Type: v1alpha1.MemberOnline, Status: "True"}}
	org1.Plan.Status.Conditions = readyIs("True", v1alpha1.ReasonReady, "2/2 nodes")
	org1.Plan.Status.Nodes = []v1alpha1.PlanNodeStatus{{Name: "orderer0-org1", Ready: true}, {Name: "peer0-org1", Message: "image cannot be pulled"}}
	org2.Member.Name, org2.Member.UID = "org2", "2"
	org2.Member.Status.Conditions = []condition{{Type: v1alpha1.MemberOnline, Status: "Unknown"}}
	org2.Plan.Status.Conditions = readyIs("True", v1alpha1.ReasonReady, "2/2 nodes")
	outsider := MemberSnapshot{}
	outsider.Member.Name = "org3"
	s.Members = []MemberSnapshot{org1, org2, outsider}
	line := v1alpha1.Line{ObjectMeta: metav1.ObjectMeta{Name: "org1-org2"}}
	line.Status.Conditions = readyIs("False", v1alpha1.ReasonLineDown, "org1 does not reach org2")
	line.Status.Ends = []v1alpha1.LineEndStatus{{From: "org1", RTTMicroseconds: 1500}}
	s.Lines = []v1alpha1.Line{line}
	return s
}

func TestTree(t *testing.T) {
	tree := Tree(sample(), time.Unix(1_000_090, 0))
	for _, test := range []struct{ why, want string }{
		{"the top row says what the consortium waits for, and its age", "… trade  waiting for org2's nodes   (Fabric, 90s old)\n"},
		{"a ready member is ticked", "├─ ✓ org1  2/2 nodes\n"},
		{"a node that is not ready says why", "└─ … peer0-org1     image cannot be pulled\n"},
		{"a member that is out of contact is unknown, not failed", "├─ ? org2  not heard of; last known: 2/2 nodes\n"},
		{"a member that nobody declared shows how to fix it", "└─ ? org3  no such member: kubectl hanse invite org3\n"},
		{"a line that is down is a failure", "✗ org1-org2  org1 does not reach org2  org1: 1.5 ms\n"},
		{"an empty group says so", "└─ ✓ channels  none\n"},
	} {
		if !strings.Contains(tree, test.want) {
			t.Errorf("%s: want %q in\n%s", test.why, test.want, tree)
		}
	}
}

func TestReady(t *testing.T) {
	for _, test := range []struct {
		why    string
		change func(*Snapshot)
		want   bool
	}{
		{"not while the consortium waits", func(*Snapshot) {}, false},
		{"when the consortium and all in it are ready", func(s *Snapshot) {
			s.Consortium.Status.Conditions = readyIs("True", v1alpha1.ReasonReady, "")
		}, true},
		{"not on the word of an older generation", func(s *Snapshot) {
			s.Consortium.Status.Conditions = readyIs("True", v1alpha1.ReasonReady, "")
			s.Consortium.Generation = 2
		}, false},
		{"not while a channel waits that the consortium has not counted yet", func(s *Snapshot) {
			s.Consortium.Status.Conditions = readyIs("True", v1alpha1.ReasonReady, "")
			s.Channels = []v1alpha1.Channel{{}}
		}, false},
	} {
		s := sample()
		test.change(&s)
		if got := ready(s); got != test.want {
			t.Errorf("%s: got %v", test.why, got)
		}
	}
}
